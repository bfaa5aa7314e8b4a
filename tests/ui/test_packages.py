"""The lists: what is installed and may be better, what the notebook imports, what runs again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.wheels import make_wheel
from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def test_packages_are_filtered_upgraded_and_removed(site: Site, lab_page: LabPage) -> None:
    make_wheel(site.wheels, "leans-on-tiny", requires=["tinypkg"])
    kernel = site.fresh("list")
    environment = site.kernels[kernel]
    lab_page.open(kernel)
    lab_page.ready()
    lab_page.install("tinypkg==1.0 leans-on-tiny")
    expect(lab_page.part("status")).to_contain_text("installed")
    (environment.site_packages / "leans_on_tiny-1.0.dist-info" / "RECORD").unlink()
    packages = lab_page.section("packages")
    rows = packages.get_by_role("listitem")
    expect(rows.filter(has_text="tinypkg").first).to_be_visible()
    packages.get_by_label("Filter packages").fill("tiny")
    expect(rows).to_have_count(2)
    tiny, leans = rows.filter(has_text="tinypkg1.0"), rows.filter(has_text="leans-on-tiny1.0")
    expect(tiny).to_contain_text("needed by leans-on-tiny")
    expect(leans).to_contain_text("asked for")
    packages.get_by_role("button", name="Look for upgrades").click()
    tiny.get_by_role("button", name="Upgrade tinypkg to 2.0").click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 → 2.0")
    rows.filter(has_text="tinypkg2.0").get_by_role("button", name="Uninstall tinypkg").click()
    expect(lab_page.part("status")).to_contain_text("leans-on-tiny")  # who needs it is said first
    expect(lab_page.part("confirm")).to_have_text("Remove anyway")
    lab_page.part("confirm").click()
    expect(rows).to_have_count(1)
    assert not environment.distribution("tinypkg", "2.0").exists()


def test_all_that_the_notebook_imports_is_installed_at_once(site: Site, lab_page: LabPage) -> None:
    for name in ("alpha-one", "beta-two"):
        make_wheel(site.wheels, name, modules={name.replace("-", "_") + ".py": "here = 1\n"})
    kernel = site.fresh("imports")
    lab_page.open(kernel, "import json, alpha_one\nfrom beta_two import here", "print(here)")
    lab_page.ready()
    notebook = lab_page.section("notebook")
    expect(notebook).to_contain_text("alpha_one")
    lab_page.page.set_viewport_size({"width": 1280, "height": 420})
    all_of_them = notebook.get_by_role("button", name="Install all 2")
    all_of_them.scroll_into_view_if_needed()
    all_of_them.click()
    expect(lab_page.part("status")).to_be_in_viewport()  # what becomes of it is seen
    expect(lab_page.part("status")).to_contain_text("installed")
    expect(notebook).to_contain_text("All 3 imports of this notebook are there.")


def test_restart_and_run_to_here_runs_what_stands_above(site: Site, lab_page: LabPage) -> None:
    kernel = site.fresh("again")
    lab_page.open(
        kernel,
        "import tinypkg",
        "print(tinypkg.__version__)",
        "print('not yet')",
    )
    lab_page.ready()
    lab_page.install("tinypkg==1.0")
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    lab_page.run(0)
    lab_page.run(1)
    expect(lab_page.output(1)).to_have_text("1.0")
    lab_page.install("tinypkg==2.0")
    expect(lab_page.part("restart")).to_be_visible()
    lab_page.panel.get_by_role("button", name="Restart and run to here").click()
    expect(lab_page.output(1)).to_have_text("2.0")
    expect(lab_page.prompt(1)).to_have_text("[2]:")
    expect(lab_page.output(2)).to_have_count(0)
