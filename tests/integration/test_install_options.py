"""Every way to say what is wanted, typed into one kernel; each test has its own package."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from integration.conftest import Desk
from support.environments import changes, snapshot
from support.kernels import Kernel
from support.wheels import make_project, make_sdist, make_wheel

pytestmark = pytest.mark.integration


def installed(kernel: Kernel, line: str) -> dict[str, str]:
    """Run the line and return the new version of everything it changed."""
    outcome = kernel.run(line).outcome
    assert outcome["status"] == "done", outcome
    return {change["name"]: change["after"] for change in outcome["plan"]["changes"]}


def test_a_cells_body_is_read_line_by_line(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "body-one")
    make_wheel(shared_desk.wheels, "body-two", "1.5")
    cell = "%%safeinstall\n# two of them\nbody-one\n\nbody-two>=1.2  # with a reason"
    assert installed(shared_kernel, cell) == {"body-one": "1.0", "body-two": "1.5"}
    assert shared_kernel.run("import body_one, body_two").ok


def test_a_requirements_file(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "from-file")
    (shared_desk.notebooks / "needs.txt").write_text("# comment\nfrom-file==1.0\n")
    assert installed(shared_kernel, "%safeinstall -r needs.txt") == {"from-file": "1.0"}


def test_files_with_hashes_complete_what_is_half_there(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    rows = []
    for name in ("hashed-one", "hashed-two"):
        wheel = make_wheel(shared_desk.wheels, name)
        rows.append(f"{name}==1.0 --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}")
    (shared_desk.notebooks / "hashed.txt").write_text("\n".join(rows))
    assert installed(shared_kernel, "%safeinstall hashed-one") == {"hashed-one": "1.0"}
    assert installed(shared_kernel, "%safeinstall -r hashed.txt") == {"hashed-two": "1.0"}
    assert shared_kernel.run("%safeinstall -r hashed.txt").outcome["status"] == "satisfied"


def test_a_constraints_file(shared_desk: Desk, shared_kernel: Kernel) -> None:
    for version in ("1.0", "2.0"):
        make_wheel(shared_desk.wheels, "constrained", version)
    (shared_desk.notebooks / "limits.txt").write_text("constrained<2\n")
    assert installed(shared_kernel, "%safeinstall -c limits.txt constrained") == {
        "constrained": "1.0"
    }


def test_an_editable_folder(shared_desk: Desk, shared_kernel: Kernel) -> None:
    project = make_project(shared_desk.notebooks / "my project", "editable-one")
    assert installed(shared_kernel, '%safeinstall -e "my project"') == {"editable-one": "1.0"}
    where = shared_kernel.run("import editable_one; print(editable_one.__file__)").stdout
    assert where.strip() == str(project / "src" / "editable_one.py")


def test_a_local_folder(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_project(shared_desk.notebooks / "folder", "folder-one")
    assert installed(shared_kernel, "%safeinstall ./folder") == {"folder-one": "1.0"}
    where = shared_kernel.run("import folder_one; print(folder_one.__file__)").stdout.strip()
    assert Path(where).is_relative_to(shared_desk.environment.site_packages)


def test_a_local_wheel(shared_desk: Desk, shared_kernel: Kernel) -> None:
    wheel = make_wheel(shared_desk.notebooks, "wheel-one")
    assert installed(shared_kernel, f"%safeinstall ./{wheel.name}") == {"wheel-one": "1.0"}
    assert shared_kernel.run("import wheel_one").ok


def test_a_source_archive_is_built_once_that_is_allowed(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    make_sdist(shared_desk.wheels, "built_one")
    asked = shared_kernel.run("%safeinstall built_one")
    assert not asked.ok
    assert "--allow-build built-one" in asked.traceback
    line = "%safeinstall --allow-build built-one built_one"
    assert installed(shared_kernel, line) == {"built-one": "1.0"}
    assert shared_kernel.run("import built_one").ok


def test_a_requirement_with_a_url(shared_desk: Desk, shared_kernel: Kernel) -> None:
    wheel = make_wheel(shared_desk.notebooks, "url-one")
    assert installed(shared_kernel, f'%safeinstall "url-one @ {wheel.as_uri()}"') == {
        "url-one": "1.0"
    }


@pytest.mark.parametrize("line", ["half-extra[fast,nope]==1.0", "half-extra[Nope]"])
def test_an_extra_that_is_none_is_said_with_those_there_are(
    shared_desk: Desk, shared_kernel: Kernel, line: str
) -> None:
    make_wheel(shared_desk.wheels, "half-extra", extras={"fast": [], "slow": []})
    done = shared_kernel.run(f"%safeinstall --force-reinstall {line}")
    words = " ".join(done.data["text/plain"].split())
    assert "half-extra 1.0 has no extra" in words, done.everything
    assert "and comes without it. It has fast, slow." in words
    good = shared_kernel.run("%safeinstall --force-reinstall half-extra[FAST]")
    assert "no extra" not in good.everything


def test_extras_bring_what_they_name(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "with-extra", extras={"fast": ["extra-part"]})
    make_wheel(shared_desk.wheels, "extra-part")
    assert installed(shared_kernel, "%safeinstall with-extra[fast]") == {
        "with-extra": "1.0",
        "extra-part": "1.0",
    }


def test_a_marker_that_does_not_hold_leaves_the_package_out(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    make_wheel(shared_desk.wheels, "marked-in")
    make_wheel(shared_desk.wheels, "marked-out")
    line = """%safeinstall "marked-in; python_version>'3.4'" "marked-out; python_version<'3.5'" """
    assert installed(shared_kernel, line) == {"marked-in": "1.0"}


def test_dependencies_come_along_and_are_told_from_what_was_asked(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    make_wheel(shared_desk.wheels, "top", requires=["below>=1"])
    make_wheel(shared_desk.wheels, "below")
    outcome = shared_kernel.run("%safeinstall top").outcome
    asked = {change["name"]: change["requested"] for change in outcome["plan"]["changes"]}
    assert asked == {"top": True, "below": False}


def test_no_deps_leaves_dependencies_out(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "alone", requires=["companion"])
    make_wheel(shared_desk.wheels, "companion")
    result = shared_kernel.run("%safeinstall --no-deps --yes alone")
    assert [change["name"] for change in result.outcome["plan"]["changes"]] == ["alone"]


def test_pre_allows_a_release_candidate(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "early", "1.0")
    make_wheel(shared_desk.wheels, "early", "2.0rc1")
    assert installed(shared_kernel, "%safeinstall early") == {"early": "1.0"}
    assert installed(shared_kernel, "%safeinstall -U --pre early") == {"early": "2.0rc1"}


def test_upgrade_takes_the_newest(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "growing", "1.0")
    assert installed(shared_kernel, "%safeinstall growing") == {"growing": "1.0"}
    make_wheel(shared_desk.wheels, "growing", "1.1")
    assert shared_kernel.run("%safeinstall growing").outcome["status"] == "satisfied"
    assert installed(shared_kernel, "%safeinstall --upgrade growing") == {"growing": "1.1"}


def test_a_dry_run_shows_the_plan_and_changes_nothing(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    make_wheel(shared_desk.wheels, "imagined", requires=["imagined-too"])
    make_wheel(shared_desk.wheels, "imagined-too")
    before = snapshot(shared_desk.environment.prefix)
    outcome = shared_kernel.run("%safeinstall --dry-run imagined").outcome
    assert outcome["status"] == "planned"
    assert outcome["transaction"] is None
    names = {change["name"] for change in outcome["plan"]["changes"]}
    assert names == {"imagined", "imagined-too"}
    assert changes(before, snapshot(shared_desk.environment.prefix)) == []


def test_pip_does_the_work_when_it_is_asked_for(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "by-pip", scripts={"by-pip": "by_pip:main"})
    outcome = shared_kernel.run("%safeinstall --installer pip by-pip").outcome
    assert outcome["status"] == "done"
    assert outcome["plan"]["installer"]["name"] == "pip"
    assert shared_kernel.run("import by_pip").ok
    command = shared_desk.environment.prefix / "bin" / "by-pip"
    done = shared_desk.environment.run(command, settings=shared_desk.settings)
    assert done.stdout.strip() == "1.0"


def test_the_command_is_a_value_too(shared_desk: Desk, shared_kernel: Kernel) -> None:
    make_wheel(shared_desk.wheels, "by-function")
    code = 'import safeinstall; print(safeinstall.install("by-function").status)'
    assert "done" in shared_kernel.run(code).stdout
    assert shared_kernel.run("import by_function").ok
