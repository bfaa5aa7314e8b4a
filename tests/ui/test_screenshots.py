"""Pictures of the panel in every state, looked at by axe as well; `make screenshots` keeps them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from support.environments import CHECKOUT
from support.wheels import make_wheel
from ui.lab_page import LabPage
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


def look(lab_page: LabPage, pictures: Path, name: str, *, whole: bool = False) -> None:
    """Take a picture, and let axe say whether everybody can use what is on it."""
    target = lab_page.page if whole else lab_page.panel
    target.screenshot(path=pictures / f"{name}.png")
    if not lab_page.page.evaluate("() => !!window.axe"):
        lab_page.page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = lab_page.page.evaluate(
        """async () => (await window.axe.run(
             {include: [['#safeinstall-panel'], ['.si-Outcome'], ['.si-StatusItem']].filter(
               one => document.querySelector(one[0]))})).violations.map(v => ({
             rule: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html + ' ' + n.failureSummary)
           }))"""
    )
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert serious == [], f"{name}: {serious}"


def theme(lab_page: LabPage, name: str) -> None:
    """Switch Lab's theme."""
    lab_page.page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
    )
    light = "true" if name.endswith("Light") else "false"
    lab_page.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
    lab_page.page.wait_for_selector("#jupyterlab-splash", state="detached")


def test_the_states_of_the_panel_are_fit_to_be_seen(
    site: Site, lab_page: LabPage, pictures: Path
) -> None:
    make_wheel(site.wheels, "weather-charts", "3.1", requires=["tinypkg>=2"])
    home = site.folder / "lab" / "home"
    kernel = site.fresh("analysis", place=home / "proj" / ".venv")
    lab_page.open(
        kernel,
        "import tinypkg\nimport sklearn\nimport json",
        "!pip install tinypkg",
        "from weather_charts import main",
    )
    lab_page.ready()
    look(lab_page, pictures, "ready-light", whole=True)
    versions(lab_page)
    look(lab_page, pictures, "versions-light")
    lab_page.install("tinypkg==1.0")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    look(lab_page, pictures, "done-light")
    lab_page.install("weather-charts")  # it needs a newer tinypkg: more than was asked
    expect(lab_page.part("plan")).to_be_visible()
    look(lab_page, pictures, "plan-light")
    lab_page.part("confirm").click()
    expect(lab_page.part("status")).to_contain_text("weather-charts 3.1 installed")
    lab_page.section("notebook")
    expect(lab_page.panel.get_by_text("scikit-learn")).to_be_visible()
    look(lab_page, pictures, "notebook-light")
    lab_page.section("packages")
    expect(lab_page.part("packages").get_by_text("tinypkg", exact=True)).to_be_visible()
    lab_page.section("history")
    expect(lab_page.part("history").locator("li")).to_have_count(2)
    look(lab_page, pictures, "lists-light")
    lab_page.install("no-such-package-here")
    expect(lab_page.part("status")).to_contain_text("Nothing changed")
    look(lab_page, pictures, "failed-light")
    theme(lab_page, "JupyterLab Dark")
    look(lab_page, pictures, "failed-dark")
    up(lab_page)
    versions(lab_page)
    look(lab_page, pictures, "versions-dark")
    path, started = slow_project(site, "slow-picture", 30)
    lab_page.install(path)
    lab_page.until(started.exists, "the build did not start")
    up(lab_page)
    look(lab_page, pictures, "progress-dark", whole=True)
    lab_page.part("cancel").click()
    expect(lab_page.part("progress")).to_have_count(0)
    damage(site, lab_page, kernel)
    look(lab_page, pictures, "damage-dark")
    narrow(lab_page)
    look(lab_page, pictures, "narrow-dark")
    theme(lab_page, "JupyterLab Light")
    look(lab_page, pictures, "narrow-light")
    lab_page.page.evaluate(
        "() => { void window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
    )
    expect(lab_page.part("status")).to_contain_text("no kernel")
    look(lab_page, pictures, "empty-light")


def versions(lab_page: LabPage) -> None:
    """Let the versions of what is typed be offered, the second one in hand."""
    lab_page.part("requirements").fill("tinypkg")
    lab_page.part("requirements").press("ArrowDown")
    expect(lab_page.part("versions").get_by_role("option")).to_have_count(2)
    lab_page.part("requirements").press("ArrowDown")
    lab_page.part("requirements").press("ArrowDown")


def damage(site: Site, lab_page: LabPage, kernel: str) -> None:
    """Have something found that is the matter."""
    (site.kernels[kernel].site_packages / "~inypkg").mkdir()
    lab_page.part("packages").get_by_role("button", name="Look for damage").click()
    expect(lab_page.part("findings")).to_contain_text("~inypkg")


def up(lab_page: LabPage) -> None:
    """Scroll to the top."""
    lab_page.panel.evaluate("node => { node.scrollTop = 0; }")


def narrow(lab_page: LabPage) -> None:
    """Make the side area as narrow as it gets."""
    lab_page.page.evaluate(
        """() => {
             const split = document.querySelector('#jp-main-vsplit-panel, #jp-main-split-panel');
             const panel = document.querySelector('#safeinstall-panel');
             panel.style.width = panel.style.maxWidth = '240px';
           }"""
    )


def test_a_refusal_is_fit_to_be_seen(
    site: Site, lab_page: LabPage, pictures: Path, locked_kernel: str
) -> None:
    lab_page.open(locked_kernel, "import tinypkg")
    lab_page.ready()
    look(lab_page, pictures, "refused-light")
    theme(lab_page, "JupyterLab Dark")
    look(lab_page, pictures, "refused-dark")


MAGICS = {
    "%safeinstall tinypkg==1.0\nx = 1": "tinypkg 1.0 installed into",
    "%safeinstall tinypkg": "tinypkg 1.0 is already in",
    "%safeinstall --dry-run -U tinypkg": "tinypkg 1.0 → 2.0",
    "%safeinstall": "This kernel runs Python",
    "%kernelenv": "interpreter",
    '%kernelenv --where "!pip install six"': "would",
    "%kernelenv --doctor": "distributions: in order",
    "%kernelenv --kernels": "kernel",
    "%safeundo --list": "tinypkg",
    "%safeuninstall tinypkg": "tinypkg 1.0 removed",
    "%safeundo": "Undone: tinypkg 1.0",
}
"""Cells, and what is to be read below them."""


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_every_magic_shows_words(site: Site, lab_page: LabPage, pictures: Path, app: str) -> None:
    kernel = site.fresh(f"words-{app}")
    lab_page.open(kernel, *MAGICS, app=app)
    lab_page.ready()  # the magics are there because the panel is
    for number, (cell, words) in enumerate(MAGICS.items()):
        lab_page.run(number)
        output = lab_page.output(number)
        expect(output).to_contain_text(words, timeout=30_000)
        assert output.locator(".jp-RenderedJSON").count() == 0, cell
        shown = lab_page.cell(number).locator(".jp-OutputArea-child .jp-OutputArea-output")
        assert shown.count() == 1, f"{cell} is shown more than once"
        assert "done after" not in output.inner_text()
    if app == "lab":
        for name in ("JupyterLab Light", "JupyterLab Dark"):
            theme(lab_page, name)
            lab_page.cell(0).scroll_into_view_if_needed()
            for number in range(len(MAGICS)):
                lab_page.cell(number).screenshot(path=pictures / f"magic-{number}-{name[11:]}.png")
