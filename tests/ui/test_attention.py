"""What needs attention, and the one click that is the way on."""

from __future__ import annotations

import json
import shutil

import pytest
from playwright.sync_api import expect

from support import lab
from support.wheels import make_wheel
from ui.lab_page import LabPage
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


@pytest.mark.first_line_of("path-file-unread")
def test_what_came_after_the_kernel_is_made_importable(site: Site, lab_page: LabPage) -> None:
    kernel = site.fresh("late")
    lab_page.open(kernel, "import comes_late; print(comes_late.WHERE)")
    lab_page.ready()
    expect(lab_page.part("findings")).to_have_count(0)
    folder = site.folder / "late project"
    folder.mkdir()
    (folder / "comes_late.py").write_text("WHERE = 'here'\n")
    path_file = site.kernels[kernel].site_packages / "late.pth"
    path_file.write_text(f"{folder}\n")
    lab_page.panel.get_by_label("Look at the kernel again").click()
    found = lab_page.part("findings")
    expect(found).to_contain_text("late.pth came after this kernel had started")
    found.get_by_role("button", name="Make importable").click()
    expect(lab_page.part("status")).to_contain_text("This kernel imports from")
    expect(found).to_have_count(0)
    lab_page.run(0)
    expect(lab_page.output(0)).to_have_text("here")


def test_damage_is_found_on_request_and_repaired_by_a_click(site: Site, lab_page: LabPage) -> None:
    make_wheel(site.wheels, "needs-tiny", requires=["tinypkg>=2"])
    kernel = site.fresh("hurt")
    packages = site.kernels[kernel].site_packages
    lab_page.open(kernel)
    lab_page.ready()
    lab_page.install("needs-tiny")
    expect(lab_page.part("status")).to_contain_text("needs-tiny 1.0 installed")
    leftover = packages / "~inypkg"
    leftover.mkdir()
    shutil.rmtree(packages / "tinypkg-2.0.dist-info")
    dangling = site.share / "kernels" / "dangling"
    lab.kernelspec(site.share, dangling.name, ["/gone/bin/python", "-m", "ipykernel_launcher"])
    lab_page.section("packages").get_by_role("button", name="Look for damage").click()
    expect(lab_page.part("status")).to_contain_text("attention, see below")
    found = lab_page.part("findings").locator(".si-Finding")
    left = found.filter(has_text="~inypkg")
    left.get_by_role("button", name="Repair").click()
    expect(lab_page.part("status")).to_contain_text("put right")
    expect(left).to_have_count(0)
    assert not leftover.exists()
    need = found.filter(has_text="needs tinypkg>=2")
    need.get_by_role("button", name="Install:").click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 2.0 installed")
    expect(need).to_have_count(0)
    spec = found.filter(has_text="dangling starts")
    spec.get_by_role("button", name="Repair kernel").first.click()
    expect(lab_page.part("status")).to_contain_text("dangling starts")
    argv = json.loads((dangling / "kernel.json").read_text())["argv"]
    assert argv[0] != "/gone/bin/python"
    shutil.rmtree(dangling)


def test_an_install_that_would_go_wrong_is_done_properly_by_a_click(
    site: Site, lab_page: LabPage
) -> None:
    kernel = site.fresh("properly")
    lab_page.open(kernel, "!pip install tinypkg==1.0")
    lab_page.ready()
    lab_page.part("findings").get_by_role("button", name="Install here").click()
    expect(lab_page.part("status")).to_contain_text("tinypkg 1.0 installed")
    assert site.kernels[kernel].distribution("tinypkg").is_dir()
    assert lab_page.source(0) == "!pip install tinypkg==1.0"
