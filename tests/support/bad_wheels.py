"""Wheels that are not what they say: without a RECORD, with a wrong one, cut off, or crowded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from .wheels import make_wheel

__all__ = ["crowd", "damaged_second", "phantom", "unlisted", "without_record"]


def rewritten(wheel: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """Write every member anew as `change` wants it; None leaves it out."""
    with zipfile.ZipFile(wheel) as old:
        members = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(wheel, "w") as new:
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content)


def without_record(wheels: Path) -> None:
    rewritten(make_wheel(wheels, "there", "2.0"), lambda n, c: None if n.endswith("RECORD") else c)


def unlisted(wheels: Path) -> None:
    wheel = make_wheel(wheels, "odd", files={"odd_data.txt": "x\n"})

    def change(name: str, content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        kept = (line for line in lines if not line.startswith(b"odd_data.txt"))
        return b"".join(kept) if name.endswith("RECORD") else content

    rewritten(wheel, change)


def phantom(wheels: Path) -> None:
    line = b"odd_phantom.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
    rewritten(make_wheel(wheels, "odd"), lambda n, c: line + c if n.endswith("RECORD") else c)


def damaged_second(wheels: Path) -> None:
    make_wheel(wheels, "there", "2.0")
    second = make_wheel(wheels, "second", "1.0", files={"second_data.txt": "x" * 5000})
    second.write_bytes(second.read_bytes()[:-600])


def crowd(wheels: Path) -> None:
    for name, version in (("there", "2.0"), ("base", "1.5")):
        more = {f"{name}_data/{number}.txt": f"{number}\n" for number in range(400)}
        make_wheel(wheels, name, version, files=more)
