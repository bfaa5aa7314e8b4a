"""The oldest JupyterLab and Notebook, consoles, and kernels on another server."""

from __future__ import annotations

import json
import urllib.request

import pytest
from playwright.sync_api import expect

from ui.lab_page import Desk
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def install_and_import(site: Site, desk: Desk, kernel: str) -> None:
    """See the kernel's interpreter, install by the button, import in the next cell, undo."""
    desk.ready()
    expect(desk.part("executable")).to_have_text(str(site.kernels[kernel].python))
    desk.install("tinypkg==1.0")
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 installed")
    assert site.kernels[kernel].distribution("tinypkg").is_dir()
    desk.run(0)
    expect(desk.output(0)).to_have_text("1.0")


@pytest.mark.parametrize("index", [0, 1], ids=["lab", "notebook"])
def test_the_oldest_lab_and_notebook_have_the_same_panel(
    site: Site, desk: Desk, oldest: tuple[str, str], index: int
) -> None:
    kernel = site.fresh("old-app")
    cells = ("import tinypkg; print(tinypkg.__version__)", "!pip install tinypkg", "import nothere")
    desk.open(kernel, *cells, app=oldest[index])
    version = desk.page.evaluate("() => window.jupyterapp.version")
    assert version.startswith(("4.2.", "7.2."))
    desk.ready()
    desk.part("findings").get_by_role("button", name="Use %safeinstall").click()
    desk.until(lambda: desk.source(1) == "%safeinstall tinypkg", "the line is as it was")
    install_and_import(site, desk, kernel)
    desk.run(2)
    notice = desk.page.locator(".Toastify__toast", has_text="nothere is not installed")
    expect(notice.get_by_role("button", name="Install")).to_be_visible()
    desk.part("undo").click()
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 removed")
    desk.run(1)  # the magic is there, and its output has buttons
    expect(desk.output(1).get_by_role("button", name="Undo")).to_be_visible()


def test_the_panel_follows_a_console_and_installs_there(site: Site, desk: Desk) -> None:
    kernel, other = site.fresh("console"), site.fresh("beside")
    desk.open_console(kernel)
    desk.ready()
    expect(desk.part("executable")).to_have_text(str(site.kernels[kernel].python))
    desk.install("tinypkg==1.0")
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 installed")
    expect(desk.panel.get_by_role("button", name="Record in notebook")).to_have_count(0)
    desk.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.console.inject(
             'import tinypkg; print(tinypkg.__version__)')"""
    )
    console = desk.page.locator(".jp-CodeConsole .jp-OutputArea-output")
    expect(console).to_have_text("1.0")
    desk.beside(other)
    expect(desk.part("executable")).to_have_text(str(site.kernels[other].python))


def test_a_kernel_of_a_gateway_is_shown_and_gets_the_install(
    site: Site, desk: Desk, gateway: str
) -> None:
    kernel = site.fresh("remote")
    desk.open(kernel, "import tinypkg; print(tinypkg.__version__)", app=gateway)
    desk.ready()
    with urllib.request.urlopen(f"{site.urls['gateway']}/api/kernels", timeout=10) as answer:
        assert kernel in [one["name"] for one in json.load(answer)]
    install_and_import(site, desk, kernel)
