"""The panel in a real JupyterLab with real kernels: how fast, how often it asks, how big it is."""

# ruff: noqa: T201 (a measurement prints its figures)

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.workbench import CACHE
from support import lab
from support.environments import CHECKOUT
from ui.lab_page import LabPage
from ui.site import Site, a_site

ROUNDS = 7
ROWS = 1000
SLOWER = 4
"""A slower machine, as the browser's own tools imitate it."""
WATCH = Path(__file__).with_name("panel_watch.js")


@contextmanager
def a_lab() -> Iterator[tuple[Site, Browser]]:
    """Start JupyterLab and a browser; both lie below the cache, so that uv can link."""
    folder = CACHE / "bench-panel"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with a_site(folder) as site, sync_playwright() as playwright:
        server = lab.equip_server(site.shop, folder / "server")
        with site.serving("lab", server):
            browser = playwright.chromium.launch(
                executable_path=lab.chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            yield site, browser
            browser.close()


@contextmanager
def a_lab_page(site: Site, browser: Browser) -> Iterator[tuple[LabPage, Page]]:
    """Open a page that notes what is sent to kernels and when something is shown."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(path=WATCH)
    lab_page = LabPage(page, site.urls, site.notebooks)
    yield lab_page, page
    lab_page.close()
    page.close()


def contacts(site: Site, browser: Browser) -> None:
    """From the idle kernel to the words in the panel; then once more, and from another tab."""
    first, idle, again, tabs, asked = [], [], [], [], []
    for _ in range(ROUNDS):
        kernels = site.fresh("known"), site.fresh("known")
        with a_lab_page(site, browser) as (lab_page, page):
            lab_page.open(kernels[0])
            lab_page.ready()
            page.wait_for_timeout(1500)  # nothing may follow by itself
            seen = page.evaluate("() => window.watched.opening()")
            asked.append(seen["silent"])
            first.append(seen["fromQuestion"])
            idle.append(seen["fromIdle"])
            again.append(page.evaluate("() => window.watched.refresh()"))
            name = "second.ipynb"
            lab.notebook(site.notebooks / name, kernels[1], "")
            lab_page.command("docmanager:open", path=name)
            page.wait_for_function(
                "name => document.querySelector('[data-safeinstall=executable]')"
                "?.textContent.includes(name)",
                arg=f"/{kernels[1]}/",
            )
            tabs.append(page.evaluate("name => window.watched.back(name)", f"/{kernels[0]}/"))
    print(f"\nPanel answers ({ROUNDS} fresh kernels that never heard of safeinstall)")
    figure("first contact, question to words (goal: 300 ms)", first)
    figure("first contact, kernel idle to words", idle)
    figure("asked again (goal: 100 ms)", again)
    figure("back to a notebook that is known (goal: 100 ms)", tabs)
    print(f"  silent requests when a notebook is opened (goal: 1)  {sorted(set(asked))}")


def installs(site: Site, browser: Browser) -> None:
    """Install and remove in turns: by the magic in a cell, and by the button."""
    magic, panel = [], []
    kernel = site.fresh("install")
    with a_lab_page(site, browser) as (lab_page, page):
        lab_page.open(kernel, "%safeinstall tinypkg==1.0", "%safeuninstall tinypkg")
        lab_page.ready()
        for number in range(ROUNDS + 1):
            by_cell = page.evaluate("() => window.watched.cell(0, 'tinypkg 1.0 installed')")
            page.evaluate("() => window.watched.cell(1, 'tinypkg 1.0 removed')")
            by_button = page.evaluate(
                "() => window.watched.install('tinypkg==1.0', 'tinypkg 1.0 installed')"
            )
            page.evaluate("() => window.watched.cell(1, 'tinypkg 1.0 removed')")
            if number:  # the first round warms the caches
                magic.append(by_cell)
                panel.append(by_button)
    print(f"\nOne small package, warm ({ROUNDS} rounds in turns)")
    figure("%safeinstall in a cell, until its words are there", magic)
    figure("the panel's button, until its words are there", panel)
    ratio = statistics.median(panel) / statistics.median(magic)
    print(f"  {'panel / magic (goal: 1.1)':54}{ratio:8.2f}")


def rows(site: Site, browser: Browser) -> None:
    """Scroll through a thousand packages with the wheel and look at every frame."""
    kernel = site.fresh("many")
    place = site.kernels[kernel].site_packages
    for number in range(ROWS):
        info = place / f"made_up_package_{number}-1.{number}.dist-info"
        info.mkdir()
        needs = f"Requires-Dist: made-up-package-{number // 3}\n" if number % 2 else ""
        text = f"Metadata-Version: 2.1\nName: made-up-package-{number}\nVersion: 1.{number}\n"
        (info / "METADATA").write_text(text + needs)
        (info / "RECORD").write_text("")
    frames: dict[str, list[float]] = {}
    opened = []
    for slower in (1, SLOWER):
        for _ in range(3):
            with a_lab_page(site, browser) as (lab_page, page):
                lab_page.open(kernel)
                lab_page.ready()
                page.context.new_cdp_session(page).send(
                    "Emulation.setCPUThrottlingRate", {"rate": slower}
                )
                spent = page.evaluate("count => window.watched.packages(count)", ROWS)
                words = f", browser {slower} times slower" if slower > 1 else ""
                if slower == 1:
                    opened.append(spent)
                page.locator(".si-List").hover()
                page.evaluate("() => window.watched.frames()")
                for _ in range(90):
                    page.mouse.wheel(0, 300)
                    page.wait_for_timeout(8)
                seen = frames.setdefault(f"wheel{words}", [])
                seen += page.evaluate("() => window.watched.framesSeen()")
                dragged = page.evaluate("() => window.watched.drag()")
                frames.setdefault(f"scroll bar dragged to the end in 60 steps{words}", []).extend(
                    dragged
                )
    print(f"\n{ROWS} packages and more: the worst frame (goal: 50 ms; 3 rounds each)")
    figure("section opened until the list is there", opened)
    for words, each in frames.items():
        over = sum(frame > 50 for frame in each)
        print(f"  {words:72}{max(each):5.0f} ms   {over} of {len(each)} over 50")


def size() -> None:
    """What the browser loads: the bundle, and the package that is carried along."""
    static = CHECKOUT / "src" / "safeinstall" / "labextension" / "static"
    payload = json.dumps((CHECKOUT / "js/src/generated/payload.json").read_text("utf-8"))
    total = sum(path.stat().st_size for path in static.iterdir() if path.suffix == ".js")
    print("\nSize")
    print(f"  bundle without the payload (goal: 250 kB){(total - len(payload)) / 1e3:18.0f} kB")
    print(f"  payload{len(payload) / 1e3:52.0f} kB")


def figure(words: str, milliseconds: list[float]) -> None:
    """Print one row."""
    median = statistics.median(milliseconds)
    print(f"  {words:54}{median:8.0f} ms   {min(milliseconds):.0f}-{max(milliseconds):.0f}")


def main() -> None:
    """Measure all, or what is named: contacts, installs, rows, size."""
    wanted = sys.argv[1:] or ["contacts", "installs", "rows", "size"]
    measures = {"contacts": contacts, "installs": installs, "rows": rows}
    if "size" in wanted:
        size()
    with a_lab() as (site, browser):
        for name in wanted:
            if name in measures:
                measures[name](site, browser)


if __name__ == "__main__":
    main()
