"""Installs by a click: beside a running cell, cancelled, undone, found again, cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.environments import changes, snapshot
from support.wheelhouse import OLDEST
from support.wheels import make_project
from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]

LONG = "import time\nfor _ in range(300):\n    time.sleep(0.1)\nprint('undisturbed')"
SHORT = LONG.replace("300", "60")


def slow_project(site: Site, name: str, seconds: float) -> tuple[str, Path]:
    """Write a folder whose install takes that long; a file says when it has begun."""
    started = site.folder / f"{name}.started"
    folder = site.folder / "projects" / name
    make_project(folder, name, sleep=seconds, started=str(started))
    return str(folder), started


@pytest.mark.parametrize("parts", [(), OLDEST], ids=["newest", "oldest"])
def test_an_install_runs_beside_a_long_cell_and_the_next_cell_imports_it(
    site: Site, lab_page: LabPage, parts: tuple[str, ...]
) -> None:
    kernel = site.fresh("bare", *parts)
    environment = site.kernels[kernel]
    assert not list(environment.site_packages.glob("pip*"))
    assert not list(environment.site_packages.glob("safeinstall*"))
    lab_page.open(kernel, SHORT, "import tinypkg; print(tinypkg.__version__)")
    lab_page.ready()
    modern = not parts
    if modern:
        lab_page.run(0)
        expect(lab_page.prompt(0)).to_have_text("[*]:")
    lab_page.install("tinypkg==1.0")
    if not modern:  # older kernels have no way beside a running cell: the job starts before it
        lab_page.run(0)
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    expect(lab_page.prompt(0)).to_have_text("[*]:")
    assert environment.distribution("tinypkg").is_dir()
    expect(lab_page.output(0)).to_have_text("undisturbed")
    lab_page.run(1)
    expect(lab_page.output(1)).to_have_text("1.0")
    expect(lab_page.prompt(1)).to_have_text("[2]:")
    undo_and_uninstall(lab_page)


def undo_and_uninstall(lab_page: LabPage) -> None:
    """Upgrade, see it in the lists, and take it back."""
    lab_page.install("tinypkg==2.0")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 → 2.0")
    expect(lab_page.part("restart")).to_be_visible()
    packages = lab_page.section("packages")
    expect(packages.get_by_text("tinypkg")).to_be_visible()
    history = lab_page.section("history")
    expect(history.locator("li")).to_have_count(2)
    history.locator("[data-safeinstall=undo]").first.click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 2.0 → 1.0")
    expect(packages.locator("li", has_text="tinypkg")).to_contain_text("1.0")


def test_versions_are_offered_while_a_requirement_is_typed(site: Site, lab_page: LabPage) -> None:
    kernel = site.fresh("versions")
    lab_page.open(kernel)
    lab_page.ready()
    box, offers = lab_page.part("requirements"), lab_page.part("versions").get_by_role("option")
    box.press_sequentially("tinypkg")
    box.press("ArrowDown")
    expect(offers).to_have_text(["2.0", "1.0"])
    box.press("ArrowUp")
    expect(offers.last).to_have_attribute("aria-selected", "true")
    box.press("Enter")
    expect(box).to_have_value("tinypkg==1.0")
    expect(offers).to_have_count(0)
    box.press("Enter")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    box.fill("")
    box.press_sequentially("tinypkg>=2")  # a version that is begun is looked up after a pause
    expect(offers).to_have_text(["2.0"])
    offers.click()
    expect(box).to_have_value("tinypkg>=2.0")
    box.fill("no-such-package-here")
    box.press("ArrowDown")
    expect(lab_page.panel.get_by_text("No versions are known.")).to_be_visible()


def test_cancel_leaves_everything_as_it_was(site: Site, lab_page: LabPage) -> None:
    kernel = site.fresh("cancel")
    environment = site.kernels[kernel]
    path, started = slow_project(site, "slow-cancel", 60)
    lab_page.open(kernel)
    lab_page.ready()
    before = snapshot(environment.prefix)
    lab_page.install(path)
    lab_page.until(started.exists, "the build did not start")
    expect(lab_page.part("progress")).to_be_visible()
    lab_page.part("cancel").click()
    expect(lab_page.part("status")).to_contain_text("othing changed")
    assert changes(before, snapshot(environment.prefix)) == []


def test_a_reloaded_page_finds_the_install_again_even_while_a_cell_runs(
    site: Site, lab_page: LabPage
) -> None:
    kernel = site.fresh("reload")
    path, started = slow_project(site, "slow-reload", 5)  # it is built twice
    lab_page.open(kernel, LONG)
    lab_page.ready()
    lab_page.install(path)
    lab_page.until(started.exists, "the build did not start")
    lab_page.run(0)
    expect(lab_page.prompt(0)).to_have_text("[*]:")
    lab_page.page.reload()
    lab_page.page.wait_for_selector(".jp-Notebook .jp-Cell")
    lab_page.command("safeinstall:open-panel")
    expect(lab_page.panel).to_be_visible()
    expect(lab_page.panel.get_by_text("Ask now").or_(lab_page.part("verdict"))).to_be_visible()
    if lab_page.panel.get_by_text("Ask now").is_visible():
        lab_page.panel.get_by_text("Ask now").click()
    expect(lab_page.part("progress").or_(lab_page.part("undo"))).to_be_visible()
    expect(lab_page.part("status")).to_contain_text("slow-reload 1.0 installed")
    expect(lab_page.output(0)).to_have_count(0)  # the cell is still running


def test_a_restart_in_the_middle_of_an_install_is_said_and_leaves_no_half(
    site: Site, lab_page: LabPage
) -> None:
    kernel = site.fresh("restart")
    environment = site.kernels[kernel]
    path, started = slow_project(site, "slow-restart", 60)
    lab_page.open(kernel)
    lab_page.ready()
    before = snapshot(environment.prefix)
    lab_page.install(path)
    lab_page.until(started.exists, "the build did not start")
    lab_page.page.evaluate(
        "() => { void window.jupyterapp.shell.currentWidget.sessionContext.restartKernel(); }"
    )
    expect(lab_page.part("status")).to_contain_text("nothing is left half done")
    lab_page.install("tinypkg")
    expect(lab_page.part("status")).to_contain_text("tinypkg 2.0 installed")
    assert [p for p in changes(before, snapshot(environment.prefix)) if "slow" in p] == []
