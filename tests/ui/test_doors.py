"""The ways to the panel, what can be set, and what it asks of kernels by itself."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from support import lab
from ui.lab_page import Desk
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


@pytest.fixture
def configured(desk: Desk) -> Iterator[Desk]:
    """A desk whose settings are the defaults again afterwards."""
    yield desk
    desk.configure()


def test_toolbar_menu_palette_and_status_bar_lead_to_the_panel(site: Site, desk: Desk) -> None:
    desk.open(site.fresh("doors"), show=False)
    expect(desk.page.locator(".si-StatusButton")).to_contain_text("doors")
    page, closed = desk.page, "application:toggle-right-area"

    def opens_panel() -> None:
        expect(desk.panel).to_be_visible()
        desk.command(closed)
        expect(desk.panel).not_to_be_visible()

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
    desk.command("apputils:activate-command-palette")
    page.locator(".lm-CommandPalette-input").fill("safeinstall")
    page.locator(".lm-CommandPalette-item", has_text="Packages of This Kernel").click()
    opens_panel()


def test_opening_a_notebook_costs_one_silent_request_and_working_costs_none(
    site: Site, desk: Desk
) -> None:
    desk.open(site.fresh("quiet"), "print('a')", "!pip install tinypkg")
    desk.ready()
    desk.page.wait_for_timeout(1000)
    assert desk.questions == 1
    desk.run(0)
    expect(desk.output(0)).to_have_text("a")
    desk.part("requirements").press_sequentially("tinypkg")  # a name: nothing is looked up
    desk.section("history").locator("summary").click()
    asked_by_hand = 1
    desk.page.wait_for_timeout(1500)
    assert desk.questions == 1 + asked_by_hand


def test_settings_move_the_panel_and_quieten_it(site: Site, configured: Desk) -> None:
    desk = configured
    desk.configure(
        side="left", statusBar=False, notifications=False, ask="always", shellInstalls="block",
        record="pep723",
    )  # fmt: skip
    kernel = site.fresh("settings")
    desk.open(kernel, "import tinypkg", "!pip install tinypkg")
    desk.ready()
    expect(desk.page.locator("#jp-left-stack #safeinstall-panel")).to_be_visible()
    expect(desk.page.locator(".si-StatusButton")).to_have_count(0)
    desk.run(0)
    expect(desk.cell(0)).to_contain_text("ModuleNotFoundError")
    desk.run(1)
    expect(desk.cell(1)).to_contain_text("%safeinstall tinypkg")
    assert not site.kernels[kernel].distribution("tinypkg", "2.0").exists()
    expect(desk.page.locator(".Toastify__toast")).to_have_count(0)
    desk.install("tinypkg")
    expect(desk.part("plan")).to_contain_text("tinypkg")
    desk.part("confirm").click()
    expect(desk.part("status")).to_contain_text("tinypkg 2.0 installed")
    desk.panel.get_by_role("button", name="Record in notebook").click()
    desk.until(lambda: desk.source(0).startswith("# /// script"), "nothing was recorded")
    assert "tinypkg==2.0" in desk.source(0)
    assert desk.source(1) == "import tinypkg"


def test_everything_is_reached_by_keyboard(site: Site, desk: Desk) -> None:
    desk.open(site.fresh("keys"))
    desk.ready()
    desk.page.keyboard.press("Escape")
    desk.command("safeinstall:install")  # the menu's entry puts the cursor into the box
    expect(desk.part("requirements")).to_be_focused()
    desk.page.keyboard.type("tinypkg==1.0")
    desk.page.keyboard.press("Tab")
    expect(desk.part("install")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 installed")
    desk.part("undo").focus()
    desk.page.keyboard.press("Space")
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 removed")
    desk.part("packages").locator("summary").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.part("packages").get_by_label("Filter packages")).to_be_visible()
    for region in (desk.part("status"), desk.panel.locator(".si-Unseen")):
        assert region.get_attribute("role") == "status"


def test_the_environment_can_be_copied(site: Site, desk: Desk) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    kernel = site.fresh("copy")
    desk.open(kernel)
    desk.ready()
    path = str(site.kernels[kernel].python)
    desk.panel.get_by_role("button", name=f"Copy {path}").click()
    desk.until(
        lambda: desk.page.evaluate("() => navigator.clipboard.readText()") == path, "not copied"
    )


def test_a_kernel_that_dies_is_followed_into_its_next_life(site: Site, desk: Desk) -> None:
    kernel = site.fresh("dies")
    desk.open(kernel, "import os\nos._exit(1)")
    desk.ready()
    desk.run(0)
    desk.page.get_by_role("dialog").get_by_role("button", name="Ok").click()
    desk.until(lambda: desk.questions == 2, "the new process was not asked")
    desk.ready()
    desk.install("tinypkg")
    expect(desk.part("status")).to_contain_text("tinypkg 2.0 installed")


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
