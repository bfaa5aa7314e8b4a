"""Out of an environment that cannot be written, into one of one's own, with the notebook."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.environments import changes, snapshot
from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def test_a_read_only_environment_is_refused_and_a_new_one_takes_the_notebook(
    site: Site, lab_page: LabPage, locked_kernel: str
) -> None:
    environment = site.kernels[locked_kernel]
    before = snapshot(environment.prefix)
    lab_page.open(locked_kernel, "import tinypkg; print(tinypkg.__version__)")
    lab_page.ready()
    verdict = lab_page.part("verdict")
    expect(verdict).to_contain_text("You may not write")
    lab_page.install("tinypkg")
    expect(lab_page.part("status")).to_contain_text("Nothing changed")
    lab_page.panel.get_by_label("beside the notebook").fill("fresh-env")
    lab_page.part("new-environment").click()
    expect(verdict).to_contain_text("Installs go here", timeout=90_000)
    made = site.notebooks / "fresh-env"  # beside the notebook, as was said
    expect(lab_page.part("executable")).to_have_text(str(made / "bin" / "python"))
    expect(lab_page.part("status")).to_contain_text("fresh-env made with tinypkg 2.0")
    lab_page.run(0)
    expect(lab_page.output(0)).to_have_text("2.0")
    assert lab_page.source(0) == "import tinypkg; print(tinypkg.__version__)"
    assert changes(before, snapshot(environment.prefix)) == []
