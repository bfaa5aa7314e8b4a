"""Wheels that are broken, forged or greedy: one clear sentence, and an untouched environment."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.killing import litter
from support.places import Place, differences, tree
from support.wheels import make_wheel

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("installer", ["uv", "pip"])]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An environment with `victim 1.0`; every test leaves it as it found it."""
    place = Place(tmp_path_factory.mktemp("faults"))
    place.make()
    make_wheel(place.wheels, "victim", "1.0")
    place.installed("victim")
    return place


@pytest.fixture(autouse=True)
def untouched(place: Place) -> Iterator[None]:
    """Compare every path, byte and mode, also around the environment."""
    before = tree(place.prefix)
    around = {path.name for path in place.folder.iterdir()}
    yield
    assert differences(before, tree(place.prefix)) == []
    assert litter(place.prefix) == []
    assert {path.name for path in place.folder.iterdir()} - around <= {".cache", "uv-cache"}


def complaint(place: Place, installer: str, *arguments: str, status: int = 1) -> str:
    """Install; it must be refused in a few lines. Return them."""
    done = place.safeinstall("install", "--installer", installer, *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines[0].startswith("✗ Nothing changed."), done.stderr
    assert 1 <= len(lines) <= 8, done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def rewritten(wheel: Path, member: str, content: bytes | None) -> None:
    """Write the wheel again with another content of one member, or without it."""
    with zipfile.ZipFile(wheel) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    del members[member]
    if content is not None:
        members[member] = content
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def test_a_truncated_wheel(place: Place, installer: str) -> None:
    wheel = make_wheel(place.wheels, f"cut-{installer}")
    wheel.write_bytes(wheel.read_bytes()[:-300])
    assert f"cut-{installer}" in complaint(place, installer, f"cut-{installer}")


def test_a_wheel_that_is_no_archive(place: Place, installer: str) -> None:
    wheel = make_wheel(place.wheels, f"text-{installer}")
    wheel.write_bytes(b"<html>please log in</html>")
    assert f"text-{installer}" in complaint(place, installer, f"text-{installer}")


def test_a_wheel_with_a_flipped_bit(place: Place, installer: str) -> None:
    wheel = make_wheel(place.wheels, f"flipped-{installer}", modules={"flipped.py": "x = 1\n" * 99})
    content = bytearray(wheel.read_bytes())
    content[content.index(b"flipped.py") + 14] ^= 0x10  # in the compressed bytes of that member
    wheel.write_bytes(content)
    assert f"flipped-{installer}" in complaint(place, installer, f"flipped-{installer}")


def test_a_file_that_was_changed_after_the_wheel_was_made(place: Place, installer: str) -> None:
    name = f"tampered-{installer}"
    wheel = make_wheel(place.wheels, name, modules={"tampered.py": "x = 1\n"})
    rewritten(wheel, "tampered.py", b"x = 2\n")
    words = complaint(place, installer, name)
    assert "tampered.py" in words
    assert "RECORD" in words or "hash" in words


def test_a_record_that_lies_about_a_hash(place: Place, installer: str) -> None:
    name = f"lying-{installer}"
    make_wheel(place.wheels, name, modules={"lying.py": "x = 1\n"}, lies_about="lying.py")
    assert "lying.py is not what its RECORD says" in complaint(place, installer, name)


def test_a_wheel_without_record(place: Place, installer: str) -> None:
    name = f"bare-{installer}"
    wheel = make_wheel(place.wheels, name)
    rewritten(wheel, f"bare_{installer}-1.0.dist-info/RECORD", None)
    assert name in complaint(place, installer, name).replace("_", "-")


CLIMBING = (
    *["../../../../escaped.txt", "/{folder}/escaped.txt", "{data}/data/../escaped.txt"],
    *["{data}/scripts/../../../escaped.txt", "inner/../../escaped.txt", "inner/../escaped.txt"],
    *["..\\escaped.txt", "C:\\escaped.txt"],
)


@pytest.mark.attack("members that lead out of a wheel")
@pytest.mark.parametrize(
    ("member", "listed"), [*((m, True) for m in CLIMBING), *((m, False) for m in CLIMBING[:4])]
)
def test_a_member_that_climbs_out(
    place: Place, installer: str, member: str, listed: bool, request: pytest.FixtureRequest
) -> None:
    name = f"climber{zlib.crc32(request.node.name.encode())}"
    path = member.format(folder=str(place.folder).lstrip("/"), data=f"{name}-1.0.data")
    wheel = make_wheel(place.wheels, name, files={path: "out"} if listed else {})
    if not listed:
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr(path, "out")
    complaint(place, installer, name)
    cache = place.folder / "uv-cache"
    assert [p for p in place.folder.rglob("*escaped.txt") if not p.is_relative_to(cache)] == []


@pytest.mark.parametrize("command", ["python", "python3", "activate"])
def test_a_script_with_the_name_of_the_environments_own(
    place: Place, installer: str, command: str
) -> None:
    name = f"usurper-{command}-{installer}"
    make_wheel(place.wheels, name, scripts={command: f"{name.replace('-', '_')}:main"})
    assert command in complaint(place, installer, name)


def test_two_wheels_with_the_same_file(place: Place, installer: str) -> None:
    for which in ("left", "right"):
        make_wheel(
            place.wheels, f"{which}-{installer}",
            modules={"both.py": f"side = {which!r}\n", f"{which}.py": ""},
        )  # fmt: skip
    words = complaint(place, installer, f"left-{installer}", f"right-{installer}", status=3)
    assert "both.py" in words
    assert f"left-{installer}" in words.replace("_", "-")
    assert f"right-{installer}" in words.replace("_", "-")


def test_a_file_of_a_distribution_that_is_not_in_the_plan(place: Place, installer: str) -> None:
    name = f"grabber-{installer}"
    make_wheel(place.wheels, name, modules={"victim.py": "mine now\n"})
    words = complaint(place, installer, name)
    assert "victim.py" in words
    assert "belongs to victim" in words


def test_a_whole_plan_stops_when_one_of_it_is_broken(place: Place, installer: str) -> None:
    make_wheel(place.wheels, f"sound-{installer}")
    make_wheel(place.wheels, "victim", "2.0", requires=[f"sound-{installer}"])
    name = f"rotten-{installer}"
    make_wheel(
        place.wheels, name, requires=["victim>=2"], modules={"rotten.py": ""},
        lies_about="rotten.py",
    )  # fmt: skip
    assert "rotten.py" in complaint(place, installer, name)
    assert place.imports("import victim; print(victim.__version__)") == "1.0"
