"""In the notebook: other kernels, missing modules, installs rewritten, requirements recorded."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def test_a_missing_module_is_offered_once_and_installed_only_by_a_click(
    site: Site, lab_page: LabPage
) -> None:
    kernel = site.fresh("offer")
    lab_page.open(
        kernel, "import tinypkg; print(tinypkg.__version__)", "import tinypkg", show=False
    )
    status = lab_page.page.locator(".si-StatusButton")
    expect(status).to_contain_text(kernel)
    lab_page.run(0)
    notice = lab_page.page.locator(".Toastify__toast", has_text="tinypkg is not installed")
    expect(notice).to_be_visible()
    assert not site.kernels[kernel].distribution("tinypkg", "2.0").exists()
    notice.get_by_role("button", name="Install").click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 2.0 installed")
    lab_page.run(0)
    expect(lab_page.output(0)).to_have_text("2.0")
    lab_page.panel.get_by_role("button", name="Record in notebook").click()
    lab_page.until(
        lambda: lab_page.source(0) == "%safeinstall tinypkg==2.0", "nothing was recorded"
    )
    assert lab_page.source(1).startswith("import tinypkg")


def test_a_wrong_install_is_shown_and_rewritten_in_the_live_document(
    site: Site, lab_page: LabPage
) -> None:
    kernel = site.fresh("rewrite")
    lab_page.open(kernel, "!pip install 'tinypkg>=1'\nx = 1", "import sklearn, json")
    lab_page.ready()
    expect(lab_page.section("notebook")).to_contain_text("sklearn → scikit-learn")
    lab_page.part("findings").get_by_role("button", name="Use %safeinstall").click()
    lab_page.until(lambda: lab_page.source(0).startswith("%safeinstall"), "the line is as it was")
    assert lab_page.source(0) in (
        '%safeinstall "tinypkg>=1"\nx = 1',
        "%safeinstall 'tinypkg>=1'\nx = 1",
    )


def test_the_magics_output_has_buttons(site: Site, lab_page: LabPage) -> None:
    kernel = site.fresh("magic")
    lab_page.open(kernel, "%safeinstall tinypkg==1.0")
    lab_page.ready()  # the magic is there because the panel is
    lab_page.run(0)
    output = lab_page.output(0)
    expect(output).to_contain_text("tinypkg 1.0 installed")
    output.get_by_role("button", name="Undo").click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 removed")


def test_the_panel_follows_the_notebook_in_front(site: Site, lab_page: LabPage) -> None:
    one, two = site.fresh("one"), site.fresh("two")
    lab_page.open(one)
    lab_page.ready()
    expect(lab_page.part("executable")).to_contain_text(f"/{one}/bin/python")
    lab_page.switch_kernel(two)
    expect(lab_page.part("executable")).to_contain_text(f"/{two}/bin/python")
    lab_page.part("requirements").click()
    expect(lab_page.part("executable")).to_contain_text(f"/{two}/bin/python")
    lab_page.switch_kernel("parrot")
    expect(lab_page.part("status")).to_contain_text("parrot, not Python")
    lab_page.page.evaluate(
        "() => { void window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
    )
    expect(lab_page.part("status")).to_contain_text("no kernel")


def test_notebook_7_has_the_same_panel(site: Site, lab_page: LabPage) -> None:
    kernel = site.fresh("seven")
    lab_page.open(kernel, "import tinypkg; print(tinypkg.__version__)", app="notebook")
    lab_page.ready()
    expect(lab_page.part("executable")).to_contain_text(f"/{kernel}/bin/python")
    lab_page.install("tinypkg")
    expect(lab_page.part("status")).to_contain_text("tinypkg 2.0 installed")
    lab_page.run(0)
    expect(lab_page.output(0)).to_have_text("2.0")
