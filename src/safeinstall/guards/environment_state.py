"""What a plan meets: everything the guards need to know besides the plan itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from safeinstall.distributions import Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A distribution of which this kernel has loaded modules that the plan replaces."""

    name: str
    modules: tuple[str, ...]
    """Their dotted names."""
    compiled: int = 0
    """How many of them are compiled code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Who put a distribution there, when that is no installer of ours."""

    who: str
    """`conda`, `apt`, `outside`, or the content of INSTALLER."""
    where: str = ""
    """Record or folder that shows it."""
    package: str = ""
    """Its name for the owner, when it has another one there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherKernel:
    """Another live kernel of this environment."""

    pid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentState:
    """The facts around one plan, read before anything is touched."""

    visible: Snapshot = field(default_factory=Snapshot)
    """What the interpreter can import, on its whole path; the first of a name wins."""
    markers: Mapping[str, str] = field(default_factory=dict)
    """The marker environment of the interpreter (PEP 508)."""
    loaded: tuple[Loaded, ...] = ()
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """By canonical name: distributions the plan would replace or remove and that are not ours."""
    kernels: tuple[OtherKernel, ...] = ()
    home_is_kept: bool = False
    """True when the home folder lies on another file system than the environment."""
    shadows: Mapping[str, str] = field(default_factory=dict)
    """Top-level module -> file or folder earlier on the import path that wins over it."""
