"""What a person does at the screen, by the names that the panel promises to keep."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from support import lab

__all__ = ["LabPage"]

PATIENCE = 45_000
HARMLESS = (
    "favicon",
    "/lsp/",
    "translations",
    "webpack",
    "Failed to load resource: net::ERR_ABORTED",
    "Sent non-empty 'Sec-WebSocket-Protocol' header",  # Lab tries this first with any gateway
)
NOTEBOOKS_OWN = ("undefined (reading 'schema')", "undefined (reading 'last_modified')")
"""Notebook stumbles over a menu's settings (7.6) or a missing checkpoint (7.2) when it starts, with
and without the panel."""
_numbers = itertools.count(1)


class LabPage:
    """One page with a notebook and the panel."""

    def __init__(self, page: Page, urls: dict[str, str], notebooks: Path) -> None:
        self.page = page
        self.urls = urls
        self.notebooks = notebooks
        self.app = "lab"
        self.complaints: list[str] = []
        self.questions = 0
        """Silent requests that the page has sent to kernels."""
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", self._stumble)
        page.on("websocket", lambda socket: socket.on("framesent", self._count))

    def _stumble(self, error: object) -> None:
        if self.in_lab or not any(own in str(error) for own in NOTEBOOKS_OWN):
            self.complaints.append(f"page error: {error}")

    def _count(self, sent: str | bytes) -> None:
        text = sent if isinstance(sent, str) else sent[:4000].decode("utf-8", "replace")
        text = text.replace(" ", "")
        if '"execute_request"' in text and '"silent":true' in text:
            self.questions += 1

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in HARMLESS):
            where = message.location.get("url", "") if message.location else ""
            if not any(word in where for word in HARMLESS):
                self.complaints.append(f"{message.text} ({where})")

    def open(
        self,
        kernel: str,
        *cells: str,
        app: str = "lab",
        show: bool = True,
        outputs: Mapping[int, Mapping[str, object]] | None = None,
    ) -> None:
        """Open a new notebook on that kernel, and the panel; `outputs` are saved in the file."""
        self.app = app
        name = f"work-{next(_numbers)}.ipynb"
        lab.notebook(self.notebooks / name, kernel, *(cells or ("",)), outputs=outputs)
        place = f"tree/{name}" if self.in_lab else f"notebooks/{name}"
        self._go(place)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        if show:
            self.show()

    def open_console(self, kernel: str, *, app: str = "lab") -> None:
        """Open a console on that kernel, and the panel."""
        self.app = app
        self._go("")
        preference = {"name": kernel, "shouldStart": True, "canStart": True}
        self.command(
            "console:create", path=f"console-{next(_numbers)}", kernelPreference=preference
        )
        self.page.wait_for_selector(".jp-CodeConsole-input .jp-Cell, .jp-CodeConsole-input")
        self.show()

    def beside(self, kernel: str, *cells: str) -> None:
        """Open one more notebook in the same page."""
        name = f"work-{next(_numbers)}.ipynb"
        lab.notebook(self.notebooks / name, kernel, *(cells or ("",)))
        self.command("docmanager:open", path=name)

    def show(self) -> None:
        """Open the panel."""
        self.command("safeinstall:open-panel")
        expect(self.panel).to_be_visible()

    @property
    def in_lab(self) -> bool:
        """True in JupyterLab, of whatever version."""
        return "notebook" not in self.app

    def _go(self, place: str) -> None:
        start = f"lab/workspaces/w{next(_numbers)}/" if self.in_lab else ""
        self.page.goto(f"{self.urls[self.app]}/{start}{place}")
        self.page.wait_for_function(
            "() => window.jupyterapp?.commands.hasCommand('safeinstall:open-panel')"
        )
        if self.in_lab:
            self.page.evaluate("() => window.jupyterapp.restored.then(() => null)")

    def command(self, name: str, **arguments: object) -> None:
        """Run one of the application's commands."""
        self.page.evaluate(
            "([name, args]) => { void window.jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    @property
    def panel(self) -> Locator:
        """The panel."""
        return self.page.locator("#safeinstall-panel")

    def part(self, name: str) -> Locator:
        """One of the panel's parts by the name that is promised to stay."""
        return self.panel.locator(f"[data-safeinstall={name}]")

    def ready(self) -> None:
        """Wait until the panel knows the kernel."""
        expect(self.part("verdict")).to_be_visible()

    def cell(self, number: int) -> Locator:
        """A cell of the notebook."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def select(self, number: int) -> None:
        """Make a cell the active one."""
        self.cell(number).locator(".jp-InputPrompt").click()

    def run(self, number: int) -> None:
        """Run one cell and do not wait."""
        self.select(number)
        self.command("notebook:run-cell")

    def output(self, number: int) -> Locator:
        """What a cell shows below itself."""
        return self.cell(number).locator(".jp-OutputArea-output")

    def prompt(self, number: int) -> Locator:
        """The number of a cell, or a star while it runs."""
        return self.cell(number).locator(".jp-InputArea-prompt")

    def install(self, line: str) -> None:
        """Type a line into the box and press the button."""
        self.part("requirements").fill(line)
        self.part("install").click()

    def section(self, name: str) -> Locator:
        """Open one of the sections."""
        section = self.part(name)
        if section.get_attribute("open") is None:
            section.locator("summary").click()
        return section

    def trust(self) -> None:
        """Trust the notebook, as somebody does who believes whom it is from."""
        self.command("notebook:trust")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)

    def source(self, number: int) -> str:
        """The text of a cell in the live model."""
        text: str = self.page.evaluate(
            """number => window.jupyterapp.shell.currentWidget.content.widgets[number]
                 .model.sharedModel.getSource()""",
            number,
        )
        return text

    def configure(self, **settings: object) -> None:
        """Set what the user can set (Settings, safeinstall); nothing named means the defaults."""
        body = json.dumps({"raw": json.dumps(settings)}).encode()
        url = f"{self.urls[self.app]}/lab/api/settings/safeinstall:plugin"
        request = urllib.request.Request(
            url, body, {"Content-Type": "application/json"}, method="PUT"
        )
        urllib.request.urlopen(request, timeout=10).close()

    def switch_kernel(self, name: str) -> None:
        """Give the notebook another kernel, as the kernel menu does."""
        self.page.evaluate(
            """async name => {
                 await window.jupyterapp.serviceManager.kernelspecs.refreshSpecs();
                 await window.jupyterapp.shell.currentWidget.sessionContext.changeKernel({name});
               }""",
            name,
        )

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 45) -> None:
        """Wait for something outside the page."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, what
            self.page.wait_for_timeout(100)

    def close(self) -> None:
        """End the kernels that were started here."""
        with contextlib.suppress(OSError):
            self.page.goto("about:blank")
            url = self.urls[self.app]
            with urllib.request.urlopen(f"{url}/api/sessions", timeout=10) as answer:
                sessions = json.load(answer)
            for session in sessions:
                request = urllib.request.Request(
                    f"{url}/api/sessions/{session['id']}", method="DELETE"
                )
                urllib.request.urlopen(request, timeout=30).close()
