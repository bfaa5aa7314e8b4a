"""A notebook of somebody else's: what it says is shown, and nothing of it is done by a click."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from support.wheels import make_wheel
from ui.lab_page import LabPage
from ui.site import Site
from ui.test_screenshots import look, narrow, theme
from ui.test_screenshots import pictures as pictures

pytestmark = [
    pytest.mark.integration,
    pytest.mark.ui,
    pytest.mark.attack("a notebook in the browser"),
]

MIME = "application/vnd.safeinstall.outcome+json"
MARKUP = '<img src=x onerror="document.title=1"><button>Next</button>'
FORGED = {
    "id": "f" * 32,
    "status": "done",
    "restart": "needed",
    "transaction": "20260101-000000-1",
    "message": {
        "mark": "✓",
        "headline": f"numpy 2.0 in {MARKUP}",
        "lines": [f"Restart the kernel before going on. {MARKUP}"],
        "suggestions": [{"command": f"%safeinstall -i http://127.0.0.1:9 x {MARKUP}", "note": ""}],
    },
}
MADE_UP = f"import IPython.display; IPython.display.display({{{MIME!r}: {FORGED!r}}}, raw=True)"
MARK = "From a saved output"


def outcome(lab_page: LabPage, number: int) -> Locator:
    return lab_page.cell(number).locator(".si-Outcome")


def test_an_output_has_buttons_only_where_this_kernel_process_has_shown_it(
    site: Site, lab_page: LabPage, pictures: Path
) -> None:
    kernel = site.fresh("outputs")
    cells = ("x = 1", MADE_UP, "%safeinstall tinypkg==1.0", "import tinypkg")
    lab_page.open(
        kernel, *cells, "%safeinstall tinypkg==2.0", outputs={0: {MIME: FORGED, "text/plain": "?"}}
    )
    lab_page.ready()
    for trusted in (False, True):  # Lab trusts no file by itself
        if trusted:
            lab_page.trust()
        saved = outcome(lab_page, 0)
        expect(saved).to_contain_text(MARK)
        expect(saved).to_contain_text(MARKUP)
        expect(saved.locator("button, img")).to_have_count(0)
    lab_page.run(1)  # code that runs can show anything; what it shows does nothing
    made_up = outcome(lab_page, 1)
    made_up.get_by_role("button", name="Restart and run to here").click()
    expect(made_up).to_contain_text(MARK)
    expect(made_up.locator("button")).to_have_count(0)
    expect(lab_page.prompt(1)).to_have_text("[1]:")
    for number in (2, 3, 4):
        lab_page.run(number)
    genuine = outcome(lab_page, 4)
    expect(genuine.get_by_role("button")).to_have_count(3)
    lab_page.command("docmanager:save")
    lab_page.page.wait_for_timeout(1000)
    lab_page.page.reload()  # another page, the same process
    expect(genuine.get_by_role("button")).to_have_count(3)
    expect(genuine).not_to_contain_text(MARK)
    expect(saved).to_contain_text(MARK)
    genuine.get_by_role("button", name="Restart and run to here").click()
    expect(lab_page.prompt(4)).to_have_text("[5]:")  # by the new process, which has its own now
    expect(genuine.get_by_role("button")).to_have_count(3)
    made_up.get_by_role("button", name="Undo").click()
    expect(made_up).to_contain_text(MARK)
    expect(outcome(lab_page, 2)).to_contain_text("tinypkg 2.0 → 1.0 in")
    look(lab_page, pictures, "outputs-light", whole=True)
    theme(lab_page, "JupyterLab Dark")
    look(lab_page, pictures, "outputs-dark", whole=True)
    theme(lab_page, "JupyterLab Light")


@pytest.fixture
def trap(site: Site) -> Iterator[Path]:
    """A folder in which somebody waits with a newer version."""
    folder = site.folder / "trap"
    folder.mkdir(exist_ok=True)
    make_wheel(folder, "tinypkg", "9.0")
    yield folder


def test_a_line_of_a_cell_is_read_before_it_says_where_packages_come_from(
    site: Site, lab_page: LabPage, pictures: Path, trap: Path
) -> None:
    kernel = site.fresh("trap")
    hidden = f"tinypkg{' ' * 150}--find-links {trap}"
    lab_page.open(kernel, f"!pip install {hidden} --yes")
    lab_page.ready()
    found = lab_page.part("findings")
    line = found.locator("[data-safeinstall=line] code")
    whole = f"%safeinstall --find-links {trap} tinypkg"
    expect(line).to_have_text(whole)
    shown = line.bounding_box()
    panel = lab_page.panel.bounding_box()
    assert shown and panel
    assert shown["x"] + shown["width"] <= panel["x"] + panel["width"]
    assert line.evaluate("node => node.scrollWidth <= node.clientWidth")
    status, question = lab_page.part("status"), f"where packages come from: --find-links {trap}"

    def is_asked() -> None:
        expect(status).to_contain_text(question)
        expect(status).to_contain_text(whole)
        assert not site.kernels[kernel].distribution("tinypkg", "9.0").exists()
        status.get_by_role("button", name="Leave it").click()
        expect(status).to_be_empty()

    install = found.get_by_role("button", name="Install here")
    install.click()
    is_asked()
    lab_page.command("safeinstall:install", line=hidden, start=True)  # a button in a text cell can
    is_asked()
    lab_page.part("install").click()  # the box shows the beginning of what was put there
    is_asked()
    install.click()
    expect(status).to_contain_text(question)
    look(lab_page, pictures, "not-typed-light")
    theme(lab_page, "JupyterLab Dark")
    narrow(lab_page)
    look(lab_page, pictures, "not-typed-dark-narrow")
    theme(lab_page, "JupyterLab Light")
    lab_page.part("confirm").click()
    expect(status).to_contain_text("tinypkg 9.0 installed")
