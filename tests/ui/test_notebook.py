"""In the notebook: other kernels, missing modules, installs rewritten, requirements recorded."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ui.lab_page import Desk
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def test_a_missing_module_is_offered_once_and_installed_only_by_a_click(
    site: Site, desk: Desk
) -> None:
    kernel = site.fresh("offer")
    desk.open(kernel, "import tinypkg; print(tinypkg.__version__)", "import tinypkg", show=False)
    status = desk.page.locator(".si-StatusButton")
    expect(status).to_contain_text(kernel)
    desk.run(0)
    notice = desk.page.locator(".Toastify__toast", has_text="tinypkg is not installed")
    expect(notice).to_be_visible()
    assert not site.kernels[kernel].distribution("tinypkg", "2.0").exists()
    notice.get_by_role("button", name="Install").click()
    expect(desk.part("status")).to_contain_text("tinypkg 2.0 installed")
    desk.run(0)
    expect(desk.output(0)).to_have_text("2.0")
    desk.panel.get_by_role("button", name="Record in notebook").click()
    desk.until(lambda: desk.source(0) == "%safeinstall tinypkg==2.0", "nothing was recorded")
    assert desk.source(1).startswith("import tinypkg")


def test_a_wrong_install_is_shown_and_rewritten_in_the_live_document(
    site: Site, desk: Desk
) -> None:
    kernel = site.fresh("rewrite")
    desk.open(kernel, "!pip install 'tinypkg>=1'\nx = 1", "import sklearn, json")
    desk.ready()
    expect(desk.section("notebook")).to_contain_text("sklearn → scikit-learn")
    desk.part("findings").get_by_role("button", name="Use %safeinstall").click()
    desk.until(lambda: desk.source(0).startswith("%safeinstall"), "the line is as it was")
    assert desk.source(0) in (
        '%safeinstall "tinypkg>=1"\nx = 1',
        "%safeinstall 'tinypkg>=1'\nx = 1",
    )


def test_the_magics_output_has_buttons(site: Site, desk: Desk) -> None:
    kernel = site.fresh("magic")
    desk.open(kernel, "%safeinstall tinypkg==1.0")
    desk.ready()  # the magic is there because the panel is
    desk.run(0)
    output = desk.output(0)
    expect(output).to_contain_text("tinypkg 1.0 installed")
    output.get_by_role("button", name="Undo").click()
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 removed")


def test_the_panel_follows_the_notebook_in_front(site: Site, desk: Desk) -> None:
    one, two = site.fresh("one"), site.fresh("two")
    desk.open(one)
    desk.ready()
    expect(desk.part("executable")).to_contain_text(f"/{one}/bin/python")
    desk.switch_kernel(two)
    expect(desk.part("executable")).to_contain_text(f"/{two}/bin/python")
    desk.part("requirements").click()
    expect(desk.part("executable")).to_contain_text(f"/{two}/bin/python")
    desk.switch_kernel("parrot")
    expect(desk.part("status")).to_contain_text("parrot, not Python")
    desk.page.evaluate(
        "() => { void window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
    )
    expect(desk.part("status")).to_contain_text("no kernel")


def test_notebook_7_has_the_same_panel(site: Site, desk: Desk) -> None:
    kernel = site.fresh("seven")
    desk.open(kernel, "import tinypkg; print(tinypkg.__version__)", app="notebook")
    desk.ready()
    expect(desk.part("executable")).to_contain_text(f"/{kernel}/bin/python")
    desk.install("tinypkg")
    expect(desk.part("status")).to_contain_text("tinypkg 2.0 installed")
    desk.run(0)
    expect(desk.output(0)).to_have_text("2.0")
