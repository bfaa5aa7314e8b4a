"""Every ailment provoked in a real environment: named, put right where safe, and undone."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk
from safeinstall.transaction.in_progress import MARK
from support import privileges, ways
from support.environments import Environment, Workshop, changes, snapshot
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture
def ward(desk: Desk, workshop: Workshop) -> Desk:
    """A desk whose environment has a package with a command in it."""
    make_wheel(
        desk.wheels,
        "with-command",
        modules={"with_command/__init__.py": "A = 1\n", "with_command/more.py": "B = 2\n"},
        scripts={"with-command": "with_command:main"},
    )
    install(desk, workshop, "with-command", "tinypkg")
    return desk


def install(desk: Desk, workshop: Workshop, *requirements: str) -> None:
    links = ("--no-index", "--find-links", desk.wheels, "--no-deps")
    python = desk.environment.python
    workshop.run(workshop.uv, "pip", "install", "-q", "--python", python, *links, *requirements)


def doctor(desk: Desk, *words: str, by: Environment | None = None) -> dict[str, Any]:
    """Run the doctor; by another environment's interpreter when `by` is given."""
    done = (by or desk.environment).run(
        "-m", "safeinstall", "doctor", "--json", *words, settings=desk.settings, cwd=desk.notebooks
    )
    assert done.stdout, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def codes(found: dict[str, Any], *, grave: bool = True) -> list[str]:
    return [f["code"] for f in found["findings"] if f["severity"] != "info" or not grave]


def check_fixed_and_undone(desk: Desk, code: str) -> None:
    """The ailment is found alone, put right, gone; and undo brings every byte of it back."""
    prefix = desk.environment.prefix
    found = doctor(desk)
    assert codes(found) == [code], found["findings"]
    [finding] = [f for f in found["findings"] if f["code"] == code]
    assert finding["fix"]
    ill = snapshot(prefix)
    fixed = doctor(desk, "--fix")
    assert fixed["transaction"], fixed
    assert codes(fixed) == []
    assert changes(ill, snapshot(prefix)) != []
    arguments = ("-m", "safeinstall", "undo", "--json")
    undone = desk.environment.run(*arguments, settings=desk.settings, cwd=desk.notebooks)
    assert undone.returncode == 0, undone.stderr
    assert "Undone: what the doctor put right in" in undone.stderr
    history = desk.environment.run("-m", "safeinstall", "history", settings=desk.settings)
    assert "safeinstall doctor --fix" in history.stdout
    assert changes(ill, snapshot(prefix)) == []
    assert codes(doctor(desk)) == [code]


def test_a_sound_environment_has_nothing_to_put_right(ward: Desk) -> None:
    found = doctor(ward)
    assert codes(found) == []
    assert found["starts"] is True
    assert found["distributions"] > 20
    assert doctor(ward, "--fix")["transaction"] is None


@pytest.mark.first_line_of("leftover")
@pytest.mark.parametrize("name", ["~inypkg", "~-nypkg-1.0.dist-info", ".tmpA1b2C3"])
def test_what_killed_installers_leave(ward: Desk, name: str) -> None:
    left = ward.environment.site_packages / name
    left.mkdir()
    (left / "file.py").write_text("x = 1\n")
    check_fixed_and_undone(ward, "leftover")


@pytest.mark.first_line_of("empty-metadata")
def test_an_empty_second_metadata_folder(ward: Desk) -> None:
    empty = ward.environment.site_packages / "tinypkg-2.0.dist-info"
    empty.mkdir()
    (empty / "INSTALLER").write_text("uv\n")
    check_fixed_and_undone(ward, "empty-metadata")


@pytest.mark.first_line_of("two-versions")
def test_two_versions_of_which_one_is_complete(ward: Desk) -> None:
    site = ward.environment.site_packages
    stale = site / "tinypkg-0.9.dist-info"
    shutil.copytree(site / "tinypkg-1.0.dist-info", stale)
    metadata = (stale / "METADATA").read_text().replace("1.0", "0.9")
    (stale / "METADATA").write_text(metadata)
    (stale / "RECORD").write_text("old_tinypkg.py,,3\ntinypkg-0.9.dist-info/METADATA,,\n")
    check_fixed_and_undone(ward, "two-versions")


@pytest.mark.first_line_of("code-missing")
def test_metadata_without_code(ward: Desk) -> None:
    for path in ward.environment.site_packages.glob("tinypkg.py"):
        path.unlink()
    check_fixed_and_undone(ward, "code-missing")


@pytest.mark.first_line_of("files-missing", "record-mismatch")
def test_missing_files_and_files_that_are_not_what_record_says(
    ward: Desk, workshop: Workshop
) -> None:
    site = ward.environment.site_packages
    (site / "with_command" / "more.py").unlink()
    (site / "tinypkg.py").unlink()  # the file is shared with uv's cache: never write into it
    (site / "tinypkg.py").write_text("edited by hand\n")
    found = doctor(ward)
    assert sorted(codes(found)) == ["files-missing", "record-mismatch"]
    hints = [finding["hint"] for finding in found["findings"] if finding["severity"] != "info"]
    for hint in hints:
        typed(ward, hint)
    assert codes(doctor(ward)) == []


def test_an_edit_that_leaves_the_size_is_found_and_the_file_is_named(
    ward: Desk, workshop: Workshop
) -> None:
    ward.settings["UV_CACHE_DIR"] = str(workshop.cache / "uv")
    more = ward.environment.site_packages / "with_command" / "more.py"
    text = more.read_text()
    assert more.stat().st_nlink > 1 or os.name == "nt", "uv links where it can"
    more.write_text(text.replace("2", "3"))  # in place, as an editor does: uv's cache has it too
    [finding] = [f for f in doctor(ward)["findings"] if f["severity"] != "info"]
    assert finding["code"] == "record-mismatch"
    assert "with_command/more.py is not what its RECORD says" in finding["message"]
    typed(ward, finding["hint"])
    assert more.read_text() == text
    assert codes(doctor(ward)) == []


def test_what_looks_untouched_is_read_when_asked_or_when_another_package_claims_it(
    ward: Desk, workshop: Workshop
) -> None:
    tiny = ward.environment.site_packages / "tinypkg.py"
    status, text = tiny.stat(), tiny.read_text()
    tiny.unlink()  # shared with uv's cache
    tiny.write_text(text.replace("1.0", "9.9"))
    os.utime(tiny, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert codes(doctor(ward)) == []
    assert codes(doctor(ward, "--deep")) == ["record-mismatch"]
    tiny.unlink()
    tiny.write_text(text)
    make_wheel(ward.wheels, "twin", modules={"tinypkg.py": text.replace("1.0", "7.7")})
    install(ward, workshop, "twin")
    found = doctor(ward)
    assert codes(found) == ["record-mismatch"]
    [message] = [f["message"] for f in found["findings"] if f["code"] == "record-mismatch"]
    assert message.startswith("tinypkg 1.0: tinypkg.py")
    with ward.kernel() as kernel:
        shown = kernel.run("%kernelenv --doctor --deep")
        assert "tinypkg.py is not what" in shown.data["text/plain"], shown.everything


def leave_half_made(desk: Desk, prefix: Path) -> None:
    """Put the mark of a dead process into an environment, as a kill leaves it in a filled one."""
    begun = prefix.with_name("begun")
    code = "import sys; from safeinstall.transaction.in_progress import Making; "
    code += "Making(sys.argv[1]).begin()"
    assert desk.environment.run("-c", code, str(begun), settings=desk.settings).returncode == 0
    mark = json.loads((begun / MARK).read_text()) | {"folder": prefix.stat().st_ino}
    (prefix / MARK).write_text(json.dumps(mark))
    shutil.rmtree(begun)


def typed(desk: Desk, hint: str) -> None:
    """Type a printed line in a terminal; it must succeed."""
    words = [*shlex.split(hint)[1:], *desk.offline.split()]
    done = desk.environment.run(
        "-m", "safeinstall", *words, settings=desk.settings, cwd=desk.notebooks
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.first_line_of("no-record")
def test_a_lost_record(ward: Desk) -> None:
    site = ward.environment.site_packages
    (ward.environment.distribution("with-command") / "RECORD").unlink()
    before = snapshot(ward.environment.prefix)
    found = doctor(ward)
    assert codes(found) == ["no-record"]
    typed(ward, found["findings"][0]["hint"])
    assert codes(doctor(ward)) == []
    assert (ward.environment.distribution("with-command") / "RECORD").exists()
    undo = ("-m", "safeinstall", "undo")
    assert ward.environment.run(*undo, settings=ward.settings).returncode == 0
    assert changes(before, snapshot(ward.environment.prefix)) == []
    assert (site / "with_command" / "more.py").exists()


@pytest.mark.first_line_of("conflict", "requirement-missing")
def test_conflicts_and_missing_requirements(ward: Desk, workshop: Workshop) -> None:
    make_wheel(ward.wheels, "wants", requires=["tinypkg>=2", "not-there; python_version>'3'"])
    install(ward, workshop, "wants")
    found = doctor(ward)
    assert sorted(codes(found)) == ["conflict", "requirement-missing"]
    make_wheel(ward.wheels, "tinypkg", "2.0")
    make_wheel(ward.wheels, "not-there")
    for finding in found["findings"]:
        if finding["severity"] != "info":
            typed(ward, finding["hint"])
    assert codes(doctor(ward)) == []


@pytest.mark.first_line_of("foreign-shebang", "stale-shebang")
@pytest.mark.parametrize(
    ("interpreter", "code"),
    [("/gone/bin/python", "stale-shebang"), ("/usr/bin/python3", "foreign-shebang")],
)
def test_a_script_that_starts_another_interpreter(ward: Desk, interpreter: str, code: str) -> None:
    if code == "foreign-shebang" and not Path(interpreter).exists():
        pytest.skip("no other interpreter")
    script = ward.environment.prefix / "bin" / "with-command"
    text = script.read_text().splitlines(keepends=True)
    script.unlink()
    script.write_text("".join([f"#!{interpreter}\n", *text[1:]]))
    script.chmod(0o755)
    record = ward.environment.distribution("with-command") / "RECORD"
    rows = [row for row in csv.reader(record.read_text().splitlines()) if row]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(
        [row[0], "", ""] if row[0].endswith("bin/with-command") else row for row in rows
    )
    record.unlink()
    record.write_text(out.getvalue())
    check_fixed_and_undone(ward, code)
    doctor(ward, "--fix")
    first = script.read_text().splitlines()[0]
    assert str(ward.environment.prefix) in first or first == "#!/bin/sh"


@pytest.mark.first_line_of("moved-environment")
def test_a_moved_environment(ward: Desk, tmp_path: Path, workshop: Workshop) -> None:
    moved = tmp_path / "moved"
    ward.environment.prefix.rename(moved)
    there = Environment(prefix=moved, kind="venv", base=ward.environment.base)
    desk = Desk(
        environment=there, settings=ward.settings, wheels=ward.wheels, notebooks=ward.notebooks
    )
    found = doctor(desk)
    assert set(codes(found)) == {"moved-environment", "stale-shebang"}
    ill = snapshot(moved)
    assert codes(doctor(desk, "--fix")) == []
    assert str(moved) in (moved / "bin" / "activate").read_text()
    assert there.run("-m", "safeinstall", "undo", settings=desk.settings).returncode == 0
    assert changes(ill, snapshot(moved)) == []


@pytest.mark.first_line_of("wrong-home")
def test_an_environment_whose_interpreter_is_gone_is_healed_by_another_one(
    ward: Desk, workshop: Workshop, tmp_path: Path
) -> None:
    prefix = tmp_path / "broken"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, prefix)
    config = prefix / "pyvenv.cfg"
    gone = "/gone/python/bin"
    lines = [f"home = {gone}" if line.startswith("home") else line
             for line in config.read_text().splitlines()]  # fmt: skip
    config.write_text("\n".join(lines) + "\n")
    for name in ("python", *(p.name for p in (prefix / "bin").glob("python3*"))):
        path = prefix / "bin" / name
        if path.is_symlink() and os.path.isabs(os.readlink(path)):  # noqa: PTH115, PTH117
            path.unlink()
            path.symlink_to(f"{gone}/python3")
    broken = Environment(prefix=prefix, kind="uv-venv", base=prefix)
    assert not broken.python.exists()
    found = doctor(ward, "--python", str(prefix))
    assert found["starts"] is False
    assert codes(found) == ["wrong-home"]
    ill = snapshot(prefix)
    fixed = doctor(ward, "--python", str(prefix), "--fix")
    assert fixed["starts"] is True, fixed
    assert codes(fixed) == []
    assert broken.run(
        "-c", "import sys; print(sys.prefix)", settings=ward.settings
    ).stdout.strip() == (str(prefix))
    undo = ("-m", "safeinstall", "undo", "--python", str(broken.python))
    assert ward.environment.run(*undo, settings=ward.settings).returncode == 0
    assert changes(ill, snapshot(prefix)) == []


def test_a_pipe_among_the_files_is_not_waited_for(ward: Desk) -> None:
    module = ward.environment.site_packages / "tinypkg.py"
    module.unlink()
    os.mkfifo(module)
    assert codes(doctor(ward, "--deep")) == ["record-mismatch"]


def test_metadata_of_every_shape_is_looked_at_and_set_aside(ward: Desk) -> None:
    site = ward.environment.site_packages
    for name in ("a-1.0", "noversion", "", "ü-1.0", "sp ace-1.0"):
        (site / f"{name}.dist-info").mkdir()
    (site / "b-1.0.dist-info").touch()
    (site / "loop-1.0.dist-info").symlink_to("loop-1.0.dist-info")
    (site / os.fsdecode(b"bad\xff-1.0.dist-info")).touch()
    (site / "a-1.0.dist-info" / "METADATA").write_text(
        "Name: a\nVersion: banana\nRequires-Dist: )(\nRequires-Dist: x; nope=='1'\n"
    )
    rows = b'a.py,sha256=x,5\n"unclosed,,\n,,\n../../../../../../etc/passwd,md4=a,\n\xff,,\n'
    (site / "a-1.0.dist-info" / "RECORD").write_bytes(rows)
    ill = snapshot(ward.environment.prefix)
    found = doctor(ward, "--deep")
    assert set(codes(found)) <= {"empty-metadata", "files-missing", "code-missing"}
    assert len(codes(found)) == 8
    assert doctor(ward, "--fix")["transaction"]
    assert ward.environment.run("-m", "safeinstall", "undo", settings=ward.settings).stdout
    assert changes(ill, snapshot(ward.environment.prefix)) == []


@pytest.mark.first_line_of("pip-outdated", "python-home")
def test_what_is_outdated_misleading_or_half_made(ward: Desk, workshop: Workshop) -> None:
    site = ward.environment.site_packages
    [info] = site.glob("pip-*.dist-info")
    metadata = (info / "METADATA").read_text()
    old = site / "pip-21.0.dist-info"
    info.rename(old)
    record = (old / "RECORD").read_text().replace(info.name, old.name)
    version = info.name.removesuffix(".dist-info").removeprefix("pip-")
    for name, text in (
        ("METADATA", metadata.replace(f"Version: {version}", "Version: 21.0", 1)),
        ("RECORD", record),
    ):
        (old / name).unlink()  # shared with other environments
        (old / name).write_text(text)
    prefix = str(ward.environment.prefix)
    leave_half_made(ward, ward.environment.prefix)
    found = doctor(ward)
    assert codes(found) == ["unfinished-environment"]
    [hint] = [f["hint"] for f in found["findings"] if f["code"] == "pip-outdated"]
    make_wheel(ward.wheels, "pip", "99.0")
    typed(ward, hint)
    assert "pip-outdated" not in codes(doctor(ward), grave=False)
    other = {**ward.settings, "PYTHONHOME": str(workshop.base.parents[1])}
    command = ("-m", "safeinstall", "doctor", "--json")
    done = workshop.template.run(*command, "--python", prefix, settings=other)
    [found] = [f for f in json.loads(done.stdout)["findings"] if f["code"] == "python-home"]
    again = shlex.join([str(workshop.template.python), *command, "--python", prefix])
    line = ["/bin/sh", "-c", f"{found['hint']}; {again}"]
    done = subprocess.run(line, env=other, capture_output=True, text=True)
    assert "python-home" not in codes(json.loads(done.stdout))


@pytest.mark.first_line_of("unfinished-environment")
def test_the_lines_for_an_environment_with_a_blank_in_its_path_work(
    desk: Desk, workshop: Workshop, tmp_path: Path
) -> None:
    prefix = tmp_path / "my env"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, prefix)
    python = prefix / "bin" / "python"
    links = ("--no-index", "--find-links", desk.wheels)
    workshop.run(workshop.uv, "pip", "install", "-q", "--python", python, *links, "tinypkg")
    here = Environment(prefix=prefix, kind="uv-venv", base=prefix)
    (here.distribution("tinypkg") / "RECORD").unlink()
    (here.site_packages / "~x").mkdir()
    leave_half_made(desk, prefix)
    found = doctor(desk, "--python", str(prefix))
    hints = {finding["code"]: finding["hint"] for finding in found["findings"]}
    assert shlex.split(hints["unfinished-environment"]) == ["rm", str(prefix / MARK)]
    typed(desk, hints["no-record"])
    command = ("-m", "safeinstall", "doctor", "--python", str(prefix))
    shown = desk.environment.run(*command, settings=desk.settings, cwd=desk.notebooks).stdout
    fix = next(line for line in ways.lines_to_type(shown) if line.endswith("--fix"))
    fixed = desk.environment.run(
        "-m", *shlex.split(fix), settings=desk.settings, cwd=desk.notebooks
    )
    assert "1 put right" in " ".join(fixed.stdout.split()), fixed.stderr
    found = doctor(desk, "--python", str(prefix))
    assert codes(found) == ["unfinished-environment"]
    [finding] = [f for f in found["findings"] if f["code"] == "unfinished-environment"]
    ways.typed_in_a_shell(finding["hint"], tmp_path)
    assert codes(doctor(desk, "--python", str(prefix))) == []


@pytest.mark.first_line_of("does-not-start")
def test_an_environment_of_others(workshop: Workshop, desk: Desk, tmp_path: Path) -> None:
    prefix = tmp_path / "managed"
    shutil.copytree(workshop.standalone.prefix, prefix, symlinks=True)
    managed = Environment(prefix=prefix, kind="standalone", base=prefix)
    (managed.site_packages.parent / "EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    found = doctor(desk, "--python", str(managed.python))
    assert "externally-managed" in codes(found, grave=False)
    (managed.prefix / "bin" / managed.site_packages.parent.name).write_text("#!/bin/false\n")
    found = doctor(desk, "--python", str(prefix))
    assert found["starts"] is False
    [hint] = [f["hint"] for f in found["findings"] if f["code"] == "does-not-start"]
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=f"{workshop.wheels} {desk.wheels}")
    typed(desk, hint)
    new = Environment(prefix=desk.notebooks / ".venv", kind="venv", base=workshop.base)
    assert new.version_of("ipykernel", desk.settings)


@pytest.mark.first_line_of("not-readable")
def test_the_line_that_opens_what_one_may_not_read(
    desk: Desk, workshop: Workshop, public_folder: Path
) -> None:
    prefix = public_folder / "closed"
    workshop.run(workshop.standalone.python, "-m", "venv", prefix)
    python = prefix / "bin" / "python"
    places = (desk.wheels, workshop.wheels, workshop.ours)
    links = (word for place in places for word in ("--find-links", place))
    workshop.run(workshop.uv, "pip", "install", "-q", "--python", python, "--no-index", *links,
                 "tinypkg", "safeinstall")  # fmt: skip
    here = Environment(prefix=prefix, kind="venv", base=prefix)
    (here.distribution("tinypkg") / "METADATA").chmod(0)
    home = public_folder / "home"
    home.mkdir()
    words = [str(python), "-m", "safeinstall", "doctor", "--json"]

    def looked() -> list[dict[str, Any]]:
        with privileges.as_ordinary(public_folder, home):
            known = {**desk.settings, "HOME": str(home)}
            done = subprocess.run(words, env=known, cwd=home, capture_output=True, text=True)
        return [f for f in json.loads(done.stdout)["findings"] if f["severity"] != "info"]

    found = {finding["code"]: finding["hint"] for finding in looked()}
    assert "not-readable" in found, found
    ways.typed_in_a_shell(found["not-readable"], public_folder)
    assert "not-readable" not in {finding["code"] for finding in looked()}


@pytest.mark.first_line_of("low-space")
@pytest.mark.skipif(
    not privileges.can_switch() or shutil.which("unshare") is None, reason="needs a disk of its own"
)
def test_hardly_any_room(ward: Desk, tmp_path: Path, workshop: Workshop) -> None:
    script = f"""
        mkdir small && mount -t tmpfs -o size=60m none small || exit 77
        {workshop.uv} venv -q --python {workshop.base} small/env || exit 78
        {ward.environment.python} -m safeinstall doctor --json --python small/env | tee said
        line=$(python3 -c "import json; print(json.load(open('said'))['findings'][0]['hint'])")
        {ward.environment.python} -m $line >typed || exit 79
    """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], cwd=tmp_path, env=ward.settings,
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip("no mount of its own")
    assert done.returncode == 0, done.stderr
    assert codes(json.loads(done.stdout)) == ["low-space"], done.stderr


def test_copies_and_modules_that_win(ward: Desk, tmp_path: Path) -> None:
    lent = tmp_path / "lent"
    shutil.copytree(ward.environment.distribution("tinypkg"), lent / "tinypkg-1.0.dist-info")
    metadata = lent / "tinypkg-1.0.dist-info" / "METADATA"
    text = metadata.read_text().replace("1.0", "0.5")
    metadata.unlink()
    metadata.write_text(text)
    (ward.notebooks / "with_command.py").write_text("")
    (ward.notebooks / "colorsys.py").write_text("")
    ward.settings["PYTHONPATH"] = str(lent)
    found = doctor(ward)
    assert {"duplicate-copy", "shadowed", "shadows-standard-library"} <= set(codes(found))
    messages = " ".join(finding["message"] for finding in found["findings"])
    assert "PYTHONPATH" in messages
    assert "the notebook's folder" in messages


def test_settings_that_redirect_and_pieces_of_another_owner(ward: Desk) -> None:
    ward.settings["PIP_TARGET"] = "/elsewhere"
    if privileges.can_switch():
        os.chown(ward.environment.site_packages / "tinypkg.py", 65534, 65534)
    found = doctor(ward)
    assert "ambient-redirect" in codes(found, grave=False)
    if privileges.can_switch():
        assert codes(found) == ["foreign-owner"]
        os.chown(ward.environment.site_packages / "tinypkg.py", os.geteuid(), os.getegid())


@pytest.mark.first_line_of("foreign-owner")
@pytest.mark.skipif(not privileges.can_switch(), reason="needs the right to give files away")
def test_the_line_that_gives_the_pieces_back_to_their_owner(
    desk: Desk, workshop: Workshop, tmp_path: Path
) -> None:
    prefix = tmp_path / "ana's env"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, prefix)
    links = ("--no-index", "--find-links", desk.wheels)
    python = prefix / "bin" / "python"
    workshop.run(workshop.uv, "pip", "install", "-q", "--python", python, *links, "tinypkg")
    privileges.give(prefix)  # the files in it are still those of root
    found = doctor(desk, "--python", str(prefix))
    assert codes(found) == ["foreign-owner"]
    [hint] = [f["hint"] for f in found["findings"] if f["code"] == "foreign-owner"]
    ways.typed_in_a_shell(hint, tmp_path)
    assert codes(doctor(desk, "--python", str(prefix))) == []
    assert (prefix / "pyvenv.cfg").stat().st_uid == privileges.ORDINARY


def test_a_script_of_nobody_that_starts_what_is_gone(ward: Desk) -> None:
    script = ward.environment.prefix / "bin" / "from-an-old-develop"
    script.write_text("#!/gone/bin/python3\nprint('at work')\n")
    script.chmod(0o755)
    theirs = script.with_name("on-purpose")
    theirs.write_text(f"#!{ward.environment.base}\nprint('at work')\n")
    check_fixed_and_undone(ward, "stale-shebang")
    doctor(ward, "--fix")
    done = subprocess.run([script], capture_output=True, text=True)
    assert done.stdout == "at work\n"
    assert theirs.read_text().startswith(f"#!{ward.environment.base}\n")


@pytest.mark.first_line_of("unfinished-transaction")
def test_an_interrupted_transaction_is_recovered(ward: Desk) -> None:
    area = ward.environment.prefix / ".safeinstall" / "transactions" / "0001-dead"
    area.mkdir(parents=True, mode=0o700)
    area.parent.parent.chmod(0o700)
    area.parent.chmod(0o700)
    (area / "stage").mkdir()
    found = doctor(ward)
    assert codes(found) == ["unfinished-transaction"]
    line = shlex.split(found["findings"][0]["hint"])
    assert line[:2] == ["safeinstall", "doctor"]
    fixed = doctor(ward, *line[2:])
    assert codes(fixed) == []
    assert fixed["fixed"] == ["recover it"]


def test_the_text_for_a_bug_report_names_nobody(ward: Desk, tmp_path: Path) -> None:
    home = Path(ward.settings["HOME"])
    ward.settings["PIP_TARGET"] = f"{home}/secret-place"
    ward.settings["PIP_INDEX_URL"] = "https://ana:hunter2@index.example/simple"
    ward.settings["USER"] = ward.settings["LOGNAME"] = "anabelle"
    done = ward.environment.run(
        "-m", "safeinstall", "doctor", "--redact", settings=ward.settings, cwd=ward.notebooks
    )
    assert done.returncode == 0, done.stderr
    assert "ambient-redirect" in done.stdout
    assert "~/secret-place" in done.stdout
    data = ward.environment.run(
        "-m", "safeinstall", "doctor", "--redact", "--json", settings=ward.settings,
        cwd=ward.notebooks,
    )  # fmt: skip
    assert "ambient-redirect" in codes(json.loads(data.stdout), grave=False)
    for secret in ("hunter2", "anabelle", str(home)):
        assert secret not in done.stdout + data.stdout + data.stderr


def test_the_notebook_shows_it_and_puts_it_right(ward: Desk) -> None:
    (ward.environment.site_packages / "~inypkg").mkdir()
    with ward.kernel() as kernel:
        shown = kernel.run("%kernelenv --doctor")
        assert shown.ok, shown.everything
        assert "~inypkg" in shown.data["text/plain"]
        assert "%kernelenv --doctor --fix" in shown.data["text/plain"]
        fixed = kernel.run("%kernelenv --doctor --fix")
        assert "1 put right" in fixed.data["text/plain"], fixed.everything
        assert kernel.run("%kernelenv --doctor --redact").ok
        assert not kernel.run("%kernelenv --doctor --nonsense").ok
    assert not (ward.environment.site_packages / "~inypkg").exists()


SICK = {
    "csv.py": "",
    "email.py": "",
    "packaging.py": "",
    "random.py": "raise SystemError",
    "typing.py": "",
    "re.py": "",
    "enum.py": "",
    "old/packaging/__init__.py": "__version__ = '16.0'",
    "old/jupyter_client/__init__.py": "",
}
"""Files of people that stand in the place of a library, and what is in them."""


@pytest.mark.parametrize("command", ["doctor", "kernels", "env"])
@pytest.mark.parametrize("file", SICK)
def test_it_starts_where_a_file_stands_in_the_place_of_a_library(
    tmp_path: Path, file: str, command: str
) -> None:
    sick = tmp_path / file
    sick.parent.mkdir(parents=True, exist_ok=True)
    sick.write_text(SICK[file])
    done = subprocess.run(
        [sys.executable, "-m", "safeinstall", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "old")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.stdout.strip(), done.stderr
    named = [line for line in done.stderr.splitlines() if str(sick) in line]
    used = command != "env" or "jupyter_client" not in file
    assert len(named) == (1 if file.startswith("old/") and used else 0), done.stderr
