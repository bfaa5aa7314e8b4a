"""The ways to the panel, what can be set, and what it asks of kernels by itself."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from support import lab
from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


@pytest.fixture
def configured(lab_page: LabPage) -> Iterator[LabPage]:
    """A page whose settings are the defaults again afterwards."""
    yield lab_page
    lab_page.configure()


def test_toolbar_menu_palette_and_status_bar_lead_to_the_panel(
    site: Site, lab_page: LabPage
) -> None:
    lab_page.open(site.fresh("doors"), show=False)
    expect(lab_page.page.locator(".si-StatusButton")).to_contain_text("doors")
    page, closed = lab_page.page, "application:toggle-right-area"

    def opens_panel() -> None:
        expect(lab_page.panel).to_be_visible()
        lab_page.command(closed)
        expect(lab_page.panel).not_to_be_visible()

    page.locator(".jp-NotebookPanel-toolbar").get_by_role(
        "button", name="Show which Python this notebook runs"
    ).click()
    opens_panel()
    page.locator(".si-StatusButton").click()
    opens_panel()
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    menu = page.locator(".lm-Menu")
    for entry in ("Install Packages Into This Kernel", "Use %safeinstall in This Cell"):
        expect(menu.get_by_text(entry)).to_be_visible()
    menu.get_by_text("Packages of This Kernel (safeinstall)").click()
    opens_panel()
    lab_page.command("apputils:activate-command-palette")
    page.locator(".lm-CommandPalette-input").fill("safeinstall")
    page.locator(".lm-CommandPalette-item", has_text="Packages of This Kernel").click()
    opens_panel()


def test_opening_a_notebook_costs_one_silent_request_and_working_costs_none(
    site: Site, lab_page: LabPage
) -> None:
    lab_page.open(site.fresh("quiet"), "print('a')", "!pip install tinypkg")
    lab_page.ready()
    lab_page.page.wait_for_timeout(1000)
    assert lab_page.questions == 1
    lab_page.run(0)
    expect(lab_page.output(0)).to_have_text("a")
    lab_page.part("requirements").press_sequentially("tinypkg")  # a name: nothing is looked up
    lab_page.section("history").locator("summary").click()
    asked_by_hand = 1
    lab_page.page.wait_for_timeout(1500)
    assert lab_page.questions == 1 + asked_by_hand


def test_settings_move_the_panel_and_quieten_it(site: Site, configured: LabPage) -> None:
    lab_page = configured
    lab_page.configure(
        side="left", statusBar=False, notifications=False, ask="always", shellInstalls="block",
        record="pep723",
    )  # fmt: skip
    kernel = site.fresh("settings")
    lab_page.open(kernel, "import tinypkg", "!pip install tinypkg")
    lab_page.ready()
    expect(lab_page.page.locator("#jp-left-stack #safeinstall-panel")).to_be_visible()
    expect(lab_page.page.locator(".si-StatusButton")).to_have_count(0)
    lab_page.run(0)
    expect(lab_page.cell(0)).to_contain_text("ModuleNotFoundError")
    lab_page.run(1)
    expect(lab_page.cell(1)).to_contain_text("%safeinstall tinypkg")
    assert not site.kernels[kernel].distribution("tinypkg", "2.0").exists()
    expect(lab_page.page.locator(".Toastify__toast")).to_have_count(0)
    lab_page.install("tinypkg")
    expect(lab_page.part("plan")).to_contain_text("tinypkg")
    lab_page.part("confirm").click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 2.0 installed")
    lab_page.panel.get_by_role("button", name="Record in notebook").click()
    lab_page.until(lambda: lab_page.source(0).startswith("# /// script"), "nothing was recorded")
    assert "tinypkg==2.0" in lab_page.source(0)
    assert lab_page.source(1) == "import tinypkg"


def test_everything_is_reached_by_keyboard(site: Site, lab_page: LabPage) -> None:
    lab_page.open(site.fresh("keys"))
    lab_page.ready()
    lab_page.page.keyboard.press("Escape")
    lab_page.command("safeinstall:install")  # the menu's entry puts the cursor into the box
    expect(lab_page.part("requirements")).to_be_focused()
    lab_page.page.keyboard.type("tinypkg==1.0")
    lab_page.page.keyboard.press("Tab")
    expect(lab_page.part("install")).to_be_focused()
    lab_page.page.keyboard.press("Enter")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    lab_page.part("undo").focus()
    lab_page.page.keyboard.press("Space")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 removed")
    lab_page.part("packages").locator("summary").focus()
    lab_page.page.keyboard.press("Enter")
    expect(lab_page.part("packages").get_by_label("Filter packages")).to_be_visible()
    for region in (lab_page.part("status"), lab_page.panel.locator(".si-Unseen")):
        assert region.get_attribute("role") == "status"


def test_the_environment_can_be_copied(site: Site, lab_page: LabPage) -> None:
    lab_page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    kernel = site.fresh("copy")
    lab_page.open(kernel)
    lab_page.ready()
    path = str(site.kernels[kernel].python)
    lab_page.panel.get_by_role("button", name=f"Copy {path}").click()
    lab_page.until(
        lambda: lab_page.page.evaluate("() => navigator.clipboard.readText()") == path, "not copied"
    )


def test_a_kernel_that_dies_is_followed_into_its_next_life(site: Site, lab_page: LabPage) -> None:
    kernel = site.fresh("dies")
    lab_page.open(kernel, "import os\nos._exit(1)")
    lab_page.ready()
    lab_page.run(0)
    lab_page.page.get_by_role("dialog").get_by_role("button", name="Ok").click()
    lab_page.until(lambda: lab_page.questions == 2, "the new process was not asked")
    lab_page.ready()
    lab_page.install("tinypkg")
    expect(lab_page.part("status")).to_contain_text("tinypkg 2.0 installed")


def test_the_panel_is_shipped_once_and_found_by_jupyterlab(site: Site) -> None:
    (wheel,) = lab.PANEL.glob("safeinstall-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert len([name for name in names if name.endswith("schemas/safeinstall/plugin.json")]) == 1
    python = site.folder / "server" / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "jupyter", "labextension", "list"],
        capture_output=True, text=True, check=True, env=dict(site.shop.settings), timeout=60,
    )  # fmt: skip
    (line,) = [each for each in done.stderr.splitlines() if "safeinstall v" in each]
    assert "enabled" in line
    assert "OK" in line
