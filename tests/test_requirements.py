from __future__ import annotations

from collections.abc import Sequence

import pytest

from safeinstall.distributions import Distribution
from safeinstall.request import parse
from safeinstall.requirements import satisfied

MARKERS = {"python_version": "3.12", "sys_platform": "linux", "extra": ""}


class Installed:
    """An index over plain tuples (name, version, requirements)."""

    def __init__(self, *rows: tuple[str, str, Sequence[str]]) -> None:
        self.rows = {
            name: Distribution(
                name=name, version=version, location="/s", metadata="/s/x", requires=tuple(requires)
            )
            for name, version, requires in rows
        }

    def find(self, name: str) -> Distribution | None:
        return self.rows.get(name)


PANDAS = Installed(
    ("pandas", "2.3.3", ["numpy>=1.26", "tzdata; sys_platform == 'win32'", "lxml>4; extra=='xml'"]),
    ("numpy", "2.1.0", []),
    ("six", "1.17.0", ["gone>=1"]),
    ("loop-a", "1", ["loop-b"]),
    ("loop-b", "1", ["loop-a"]),
    ("pre", "2.0rc1", []),
)


@pytest.mark.parametrize(
    ("line", "met"),
    [
        ("pandas", True),
        ("Pandas>=2", True),
        ("pandas numpy==2.1.*", True),
        ("pandas<2", False),
        ("nothere", False),
        ("six", False),
        ("six --no-deps", True),
        ("pandas[xml]", False),
        ("loop-a", True),
        ("pre", True),
        (f"numpy==2.1.0 --hash=sha256:{'0' * 64}", True),
        (f"numpy==2.1.1 --hash=sha256:{'0' * 64}", False),
        ("-U pandas", False),
        ("--force-reinstall pandas", False),
        ("'numpy; python_version < \"3\"' pandas", True),
        ("'pandas @ https://index.invalid/pandas-2.3.3.tar.gz'", False),
    ],
)
def test_a_request_is_met_only_when_everything_it_needs_is_there(line: str, met: bool) -> None:
    request = parse(line, cwd="/")
    assert (satisfied(request, PANDAS, MARKERS) is not None) is met


def test_what_is_already_there_is_named() -> None:
    found = satisfied(parse("numpy pandas", cwd="/"), PANDAS, MARKERS)
    assert found is not None
    assert [(d.name, d.version) for d in found.requested] == [
        ("numpy", "2.1.0"),
        ("pandas", "2.3.3"),
    ]
