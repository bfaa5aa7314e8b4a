"""The panel in front of a notebook: the truth about its kernel, and an install."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def test_the_panel_shows_the_kernels_interpreter_and_not_the_servers(
    site: Site, lab_page: LabPage
) -> None:
    kernel = site.fresh("plain")
    lab_page.open(kernel)
    lab_page.ready()
    expect(lab_page.part("executable")).to_have_text(str(site.kernels[kernel].python))
    expect(lab_page.part("verdict")).to_contain_text("Installs go here")
    expect(lab_page.part("environment")).to_contain_text("virtual environment")
