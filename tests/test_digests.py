"""Hashes as RECORD writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeinstall.metadata.record import digest


def test_a_hash_is_written_as_in_a_record(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    found = digest(str(tmp_path / "empty"), "sha256")
    assert found == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


def test_a_file_of_many_pieces_is_read_to_its_end(tmp_path: Path) -> None:
    piece = bytes(range(256)) * 4096
    for name, content in (("short", piece), ("long", piece + b"!")):
        (tmp_path / name).write_bytes(content)
    assert digest(str(tmp_path / "short"), "sha256") != digest(str(tmp_path / "long"), "sha256")


@pytest.mark.parametrize("algorithm", ["", "sha9", "shake_128"])
def test_an_algorithm_that_cannot_be_meant_is_refused(tmp_path: Path, algorithm: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r".+"):
        digest(str(tmp_path / "file"), algorithm)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest(str(tmp_path / "gone"), "sha256")
