"""Pictures of the panel in every state, looked at by axe as well; `make screenshots` keeps them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from support.environments import CHECKOUT
from support.wheels import make_wheel
from ui.lab_page import Desk
from ui.site import Site
from ui.test_install import slow_project

pytestmark = [pytest.mark.integration, pytest.mark.ui]

AXE = CHECKOUT / "js" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The folder the pictures go to."""
    folder = Path(os.environ.get("SAFEINSTALL_SCREENSHOTS") or tmp_path).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def look(desk: Desk, pictures: Path, name: str, *, whole: bool = False) -> None:
    """Take a picture, and let axe say whether everybody can use what is on it."""
    target = desk.page if whole else desk.panel
    target.screenshot(path=pictures / f"{name}.png")
    if not desk.page.evaluate("() => !!window.axe"):
        desk.page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = desk.page.evaluate(
        """async () => (await window.axe.run(
             {include: [['#safeinstall-panel'], ['.si-Outcome'], ['.si-StatusItem']].filter(
               one => document.querySelector(one[0]))})).violations.map(v => ({
             rule: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html + ' ' + n.failureSummary)
           }))"""
    )
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert serious == [], f"{name}: {serious}"


def theme(desk: Desk, name: str) -> None:
    """Switch Lab's theme."""
    desk.page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
    )
    light = "true" if name.endswith("Light") else "false"
    desk.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
    desk.page.wait_for_selector("#jupyterlab-splash", state="detached")


def test_the_states_of_the_panel_are_fit_to_be_seen(site: Site, desk: Desk, pictures: Path) -> None:
    make_wheel(site.wheels, "weather-charts", "3.1", requires=["tinypkg>=2"])
    home = site.folder / "lab" / "home"
    kernel = site.fresh("analysis", place=home / "proj" / ".venv")
    desk.open(
        kernel,
        "import tinypkg\nimport sklearn\nimport json",
        "!pip install tinypkg",
        "from weather_charts import main",
    )
    desk.ready()
    look(desk, pictures, "ready-light", whole=True)
    versions(desk)
    look(desk, pictures, "versions-light")
    desk.install("tinypkg==1.0")
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 installed")
    look(desk, pictures, "done-light")
    desk.install("weather-charts")  # it needs a newer tinypkg: more than was asked
    expect(desk.part("plan")).to_be_visible()
    look(desk, pictures, "plan-light")
    desk.part("confirm").click()
    expect(desk.part("status")).to_contain_text("weather-charts 3.1 installed")
    desk.section("notebook")
    expect(desk.panel.get_by_text("scikit-learn")).to_be_visible()
    look(desk, pictures, "notebook-light")
    desk.section("packages")
    expect(desk.part("packages").get_by_text("tinypkg", exact=True)).to_be_visible()
    desk.section("history")
    expect(desk.part("history").locator("li")).to_have_count(2)
    look(desk, pictures, "lists-light")
    desk.install("no-such-package-here")
    expect(desk.part("status")).to_contain_text("Nothing changed")
    look(desk, pictures, "failed-light")
    theme(desk, "JupyterLab Dark")
    look(desk, pictures, "failed-dark")
    up(desk)
    versions(desk)
    look(desk, pictures, "versions-dark")
    path, started = slow_project(site, "slow-picture", 30)
    desk.install(path)
    desk.until(started.exists, "the build did not start")
    up(desk)
    look(desk, pictures, "progress-dark", whole=True)
    desk.part("cancel").click()
    expect(desk.part("progress")).to_have_count(0)
    damage(site, desk, kernel)
    look(desk, pictures, "damage-dark")
    narrow(desk)
    look(desk, pictures, "narrow-dark")
    theme(desk, "JupyterLab Light")
    look(desk, pictures, "narrow-light")
    desk.page.evaluate(
        "() => { void window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
    )
    expect(desk.part("status")).to_contain_text("no kernel")
    look(desk, pictures, "empty-light")


def versions(desk: Desk) -> None:
    """Let the versions of what is typed be offered, the second one in hand."""
    desk.part("requirements").fill("tinypkg")
    desk.part("requirements").press("ArrowDown")
    expect(desk.part("versions").get_by_role("option")).to_have_count(2)
    desk.part("requirements").press("ArrowDown")
    desk.part("requirements").press("ArrowDown")


def damage(site: Site, desk: Desk, kernel: str) -> None:
    """Have something found that is the matter."""
    (site.kernels[kernel].site_packages / "~inypkg").mkdir()
    desk.part("packages").get_by_role("button", name="Look for damage").click()
    expect(desk.part("findings")).to_contain_text("~inypkg")


def up(desk: Desk) -> None:
    """Scroll to the top."""
    desk.panel.evaluate("node => { node.scrollTop = 0; }")


def narrow(desk: Desk) -> None:
    """Make the side area as narrow as it gets."""
    desk.page.evaluate(
        """() => {
             const split = document.querySelector('#jp-main-vsplit-panel, #jp-main-split-panel');
             const panel = document.querySelector('#safeinstall-panel');
             panel.style.width = panel.style.maxWidth = '240px';
           }"""
    )


def test_a_refusal_is_fit_to_be_seen(
    site: Site, desk: Desk, pictures: Path, locked_kernel: str
) -> None:
    desk.open(locked_kernel, "import tinypkg")
    desk.ready()
    look(desk, pictures, "refused-light")
    theme(desk, "JupyterLab Dark")
    look(desk, pictures, "refused-dark")
