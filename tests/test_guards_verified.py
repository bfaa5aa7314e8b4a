"""What was hashed once is not read again, unless anything about it changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from safeinstall.findings import Finding
from safeinstall.guards import files
from safeinstall.guards.files import Verified
from safeinstall.metadata.record import digest
from safeinstall.transaction.store.history import Store
from test_transaction_trees import SITE, begin, environment, package
from test_transaction_trees import no_waiting as no_waiting

ONE = package("one", "1.0")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return environment(tmp_path / "env", [])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """What an installer unpacked into its cache."""
    ONE.write(tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all files that are hashed from now on."""
    names: list[str] = []

    def watched(path: str, algorithm: str) -> str:
        names.append(os.path.basename(path))
        return digest(path, algorithm)

    monkeypatch.setattr("safeinstall.guards.files.digest", watched)
    return names


def inspected(prefix: Path, cache: Path, verified: Verified) -> tuple[Finding, ...]:
    """Stage links to what is in the cache, as installers do, and look at them."""
    with (store := Store.open(str(prefix))).lock():
        transaction = begin(store, [ONE])
        for name in ONE.files:
            staged = Path(transaction.stage, name)
            staged.unlink()
            os.link(cache / name, staged)
        found = files.examine(transaction.inspect([str(prefix / SITE)]), verified=verified)
        transaction.abandon()
    return found


def test_linked_files_are_hashed_once_and_copies_every_time(
    prefix: Path, cache: Path, tmp_path: Path, read: list[str]
) -> None:
    seals = tmp_path / "seals" / "verified"
    assert inspected(prefix, cache, Verified(str(seals))) == ()
    assert {"__init__.py", "inner.py", "METADATA"} <= set(read)
    read.clear()
    assert inspected(prefix, cache, Verified(str(seals))) == ()
    assert sorted(read) == ["INSTALLER", "METADATA", "REQUESTED"]


def write(file: Path) -> None:
    file.write_text(file.read_text().replace("1.0", "6.6"))


def replace(file: Path) -> None:
    write_to = file.with_name("new")
    write_to.write_text(file.read_text().replace("1.0", "6.6"))
    os.utime(write_to, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    write_to.replace(file)


@pytest.mark.parametrize("change", [write, replace], ids=lambda change: change.__name__)
def test_a_file_that_was_changed_since_is_found(
    prefix: Path, cache: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    seals = Verified(str(tmp_path / "verified"))
    assert inspected(prefix, cache, seals) == ()
    change(cache / SITE / "one/__init__.py")
    (finding,) = inspected(prefix, cache, Verified(str(tmp_path / "verified")))
    assert (finding.code, finding.severity.value) == ("record-mismatch", "refuse")


def test_what_was_found_wrong_is_never_remembered_as_right(
    prefix: Path, cache: Path, tmp_path: Path
) -> None:
    write(cache / SITE / "one/__init__.py")
    for _ in range(2):
        (finding,) = inspected(prefix, cache, Verified(str(tmp_path / "verified")))
        assert finding.code == "record-mismatch"


def open_to_all(seals: Path) -> None:
    seals.chmod(0o666)


def through_a_link(seals: Path) -> None:
    seals.rename(seals.with_name("elsewhere"))
    seals.symlink_to("elsewhere")


@pytest.mark.skipif(os.name == "nt", reason="modes and owners are of POSIX")
@pytest.mark.parametrize("arrange", [open_to_all, through_a_link], ids=lambda a: a.__name__)
def test_seals_that_others_could_have_written_count_for_nothing(
    tmp_path: Path, arrange: Callable[[Path], None]
) -> None:
    seals = tmp_path / "verified"
    Verified(str(seals)).add(["a" * 64])
    assert "a" * 64 in Verified(str(seals))
    arrange(seals)
    assert "a" * 64 not in Verified(str(seals))
    Verified(str(seals)).add(["b" * 64])
    assert "b" * 64 not in Verified(str(seals))


def below_a_file(place: Path) -> str:
    place.touch()
    return str(place / "verified")


def a_folder(place: Path) -> str:
    place.mkdir()
    return str(place)


def a_pipe(place: Path) -> str:
    os.mkfifo(place)
    return str(place)


@pytest.mark.skipif(os.name == "nt", reason="pipes are of POSIX")
@pytest.mark.parametrize("arrange", [below_a_file, a_folder, a_pipe], ids=lambda a: a.__name__)
def test_without_a_place_for_seals_everything_is_hashed(
    prefix: Path, cache: Path, tmp_path: Path, read: list[str], arrange: Callable[[Path], str]
) -> None:
    nowhere = arrange(tmp_path / "place")
    for _ in range(2):
        read.clear()
        assert inspected(prefix, cache, Verified(nowhere)) == ()
        assert "inner.py" in read


def test_the_file_of_seals_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "verified"
    path.write_text(("c" * 64 + "\n") * 17_000)
    path.chmod(0o600)
    Verified(str(path)).add(["d" * 64])
    assert path.read_text() == "d" * 64 + "\n"
