"""Empty wheels in the place of what is missing, so that pip says what else is.

pip stops at the first requirement it cannot meet and has no way to leave one out. With a wheel
that bears the name and holds nothing, in a folder that only this dry run looks into, it goes on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import VERSION_PATTERN, Version

__all__ = ["write_stand_in"]

_WHEEL: Final = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

_VERSION: Final = re.compile(VERSION_PATTERN, re.VERBOSE | re.IGNORECASE)


def write_stand_in(requirement: Requirement, folder: Path) -> bool:
    """Write a wheel that meets the requirement; False where none can, or one is there already."""
    version = _newest(requirement.specifier)
    name = canonicalize_name(requirement.name).replace("-", "_")
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    if version is None or wheel.exists():
        return False
    info = f"{name}-{version}.dist-info"
    with ZipFile(wheel, "w") as archive:
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(f"{info}/WHEEL", _WHEEL)
        archive.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return True


def _newest(wanted: SpecifierSet) -> Version | None:
    """Return a high version that is allowed: what others want of it is then likely met too."""
    bounds = [specifier.version.removesuffix(".*") for specifier in wanted]
    firsts = [int(found[0]) for each in bounds if (found := re.match(r"\d+", each))]
    texts = ["9999", *bounds, *(f"{each}.9999" for each in bounds), "0"]
    texts += [f"{first - 1}.9999" for first in firsts if first]
    versions = [Version(text) for text in texts if _VERSION.fullmatch(text)]
    return max((v for v in versions if wanted.contains(v, prereleases=True)), default=None)
