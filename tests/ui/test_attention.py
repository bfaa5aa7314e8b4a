"""What needs attention, and the one click that is the way on."""

from __future__ import annotations

import json
import shutil

import pytest
from playwright.sync_api import expect

from support import lab
from support.wheels import make_wheel
from ui.lab_page import Desk
from ui.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.ui]


def test_what_came_after_the_kernel_is_made_importable(site: Site, desk: Desk) -> None:
    kernel = site.fresh("late")
    desk.open(kernel, "import comes_late; print(comes_late.WHERE)")
    desk.ready()
    expect(desk.part("findings")).to_have_count(0)
    folder = site.folder / "late project"
    folder.mkdir()
    (folder / "comes_late.py").write_text("WHERE = 'here'\n")
    path_file = site.kernels[kernel].site_packages / "late.pth"
    path_file.write_text(f"{folder}\n")
    desk.panel.get_by_label("Look at the kernel again").click()
    found = desk.part("findings")
    expect(found).to_contain_text("late.pth came after this kernel had started")
    found.get_by_role("button", name="Make importable").click()
    expect(desk.part("status")).to_contain_text("This kernel imports from")
    expect(found).to_have_count(0)
    desk.run(0)
    expect(desk.output(0)).to_have_text("here")


def test_damage_is_found_on_request_and_repaired_by_a_click(site: Site, desk: Desk) -> None:
    make_wheel(site.wheels, "needs-tiny", requires=["tinypkg>=2"])
    kernel = site.fresh("hurt")
    packages = site.kernels[kernel].site_packages
    desk.open(kernel)
    desk.ready()
    desk.install("needs-tiny")
    expect(desk.part("status")).to_contain_text("needs-tiny 1.0 installed")
    leftover = packages / "~inypkg"
    leftover.mkdir()
    shutil.rmtree(packages / "tinypkg-2.0.dist-info")
    dangling = site.share / "kernels" / "dangling"
    lab.kernelspec(site.share, dangling.name, ["/gone/bin/python", "-m", "ipykernel_launcher"])
    desk.section("packages").get_by_role("button", name="Look for damage").click()
    expect(desk.part("status")).to_contain_text("attention, see below")
    found = desk.part("findings").locator(".si-Finding")
    left = found.filter(has_text="~inypkg")
    left.get_by_role("button", name="Repair").click()
    expect(desk.part("status")).to_contain_text("put right")
    expect(left).to_have_count(0)
    assert not leftover.exists()
    need = found.filter(has_text="needs tinypkg>=2")
    need.get_by_role("button", name="Install").click()
    expect(desk.part("status")).to_contain_text("tinypkg 2.0 installed")
    expect(need).to_have_count(0)
    spec = found.filter(has_text="dangling starts")
    spec.get_by_role("button", name="Repair kernel").first.click()
    expect(desk.part("status")).to_contain_text("dangling starts")
    argv = json.loads((dangling / "kernel.json").read_text())["argv"]
    assert argv[0] != "/gone/bin/python"
    shutil.rmtree(dangling)


def test_an_install_that_would_go_wrong_is_done_properly_by_a_click(site: Site, desk: Desk) -> None:
    kernel = site.fresh("properly")
    desk.open(kernel, "!pip install tinypkg==1.0")
    desk.ready()
    desk.part("findings").get_by_role("button", name="Install here").click()
    expect(desk.part("status")).to_contain_text("tinypkg 1.0 installed")
    assert site.kernels[kernel].distribution("tinypkg").is_dir()
    assert desk.source(0) == "!pip install tinypkg==1.0"
