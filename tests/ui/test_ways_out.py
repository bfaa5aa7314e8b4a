"""Out of an environment that cannot be written, into one of one's own, with the notebook."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.environments import changes, snapshot
from ui.lab_page import Desk
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def test_a_read_only_environment_is_refused_and_a_new_one_takes_the_notebook(
    site: Site, desk: Desk, locked_kernel: str
) -> None:
    environment = site.kernels[locked_kernel]
    before = snapshot(environment.prefix)
    desk.open(locked_kernel, "import tinypkg; print(tinypkg.__version__)")
    desk.ready()
    verdict = desk.part("verdict")
    expect(verdict).to_contain_text("You may not write")
    desk.install("tinypkg")
    expect(desk.part("status")).to_contain_text("Nothing changed")
    desk.panel.get_by_label("beside the notebook").fill("fresh-env")
    desk.part("new-environment").click()
    expect(verdict).to_contain_text("Installs go here", timeout=90_000)
    made = site.notebooks / "fresh-env"  # beside the notebook, as was said
    expect(desk.part("executable")).to_have_text(str(made / "bin" / "python"))
    expect(desk.part("status")).to_contain_text("fresh-env made with tinypkg 2.0")
    desk.run(0)
    expect(desk.output(0)).to_have_text("2.0")
    assert desk.source(0) == "import tinypkg; print(tinypkg.__version__)"
    assert changes(before, snapshot(environment.prefix)) == []
