"""The oldest JupyterLab and Notebook, consoles, and kernels on another server."""

from __future__ import annotations

import json
import urllib.request

import pytest
from playwright.sync_api import expect

from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def install_and_import(site: Site, lab_page: LabPage, kernel: str) -> None:
    """See the kernel's interpreter, install by the button, import in the next cell, undo."""
    lab_page.ready()
    expect(lab_page.part("executable")).to_have_text(str(site.kernels[kernel].python))
    lab_page.install("tinypkg==1.0")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    assert site.kernels[kernel].distribution("tinypkg").is_dir()
    lab_page.run(0)
    expect(lab_page.output(0)).to_have_text("1.0")


@pytest.mark.parametrize("index", [0, 1], ids=["lab", "notebook"])
def test_the_oldest_lab_and_notebook_have_the_same_panel(
    site: Site, lab_page: LabPage, oldest: tuple[str, str], index: int
) -> None:
    kernel = site.fresh("old-app")
    cells = ("import tinypkg; print(tinypkg.__version__)", "!pip install tinypkg", "import nothere")
    lab_page.open(kernel, *cells, app=oldest[index])
    version = lab_page.page.evaluate("() => window.jupyterapp.version")
    assert version.startswith(("4.2.", "7.2."))
    lab_page.ready()
    lab_page.part("findings").get_by_role("button", name="Use %safeinstall").click()
    lab_page.until(lambda: lab_page.source(1) == "%safeinstall tinypkg", "the line is as it was")
    install_and_import(site, lab_page, kernel)
    lab_page.run(2)
    notice = lab_page.page.locator(".Toastify__toast", has_text="nothere is not installed")
    expect(notice.get_by_role("button", name="Install")).to_be_visible()
    lab_page.part("undo").click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 removed")
    lab_page.run(1)  # the magic is there, and its output has buttons
    expect(lab_page.output(1).get_by_role("button", name="Undo")).to_be_visible()


def test_the_panel_follows_a_console_and_installs_there(site: Site, lab_page: LabPage) -> None:
    kernel, other = site.fresh("console"), site.fresh("beside")
    lab_page.open_console(kernel)
    lab_page.ready()
    expect(lab_page.part("executable")).to_have_text(str(site.kernels[kernel].python))
    lab_page.install("tinypkg==1.0")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    expect(lab_page.panel.get_by_role("button", name="Record in notebook")).to_have_count(0)
    lab_page.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.console.inject(
             'import tinypkg; print(tinypkg.__version__)')"""
    )
    console = lab_page.page.locator(".jp-CodeConsole .jp-OutputArea-output")
    expect(console).to_have_text("1.0")
    lab_page.beside(other)
    expect(lab_page.part("executable")).to_have_text(str(site.kernels[other].python))


def test_a_kernel_of_a_gateway_is_shown_and_gets_the_install(
    site: Site, lab_page: LabPage, gateway: str
) -> None:
    kernel = site.fresh("remote")
    lab_page.open(kernel, "import tinypkg; print(tinypkg.__version__)", app=gateway)
    lab_page.ready()
    with urllib.request.urlopen(f"{site.urls['gateway']}/api/kernels", timeout=10) as answer:
        assert kernel in [one["name"] for one in json.load(answer)]
    install_and_import(site, lab_page, kernel)
