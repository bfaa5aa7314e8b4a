"""Which modules prove that a request is met: what its distributions bring to import."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from safeinstall import inspection
from safeinstall.environment import Environment
from safeinstall.metadata.distribution import DistInfo
from safeinstall.metadata.modules import meant, public
from safeinstall.outcome import Outcome
from safeinstall.request import InstallRequest

__all__ = ["import_names"]


def import_names(
    request: InstallRequest, outcome: Outcome, new: Environment, present: Environment
) -> dict[str, tuple[str, ...]]:
    """Return the modules to import for each distribution the request names, by canonical name.

    A distribution may be in the new environment or, in an overlay, in the present one.
    """
    folders = new.paths.site_packages
    if request.overlay:
        folders = tuple(dict.fromkeys((*folders, *new.sys_path, *present.sys_path)))
    index = inspection.InstalledIndex(folders)
    names = {item.name for item in request.items if item.name}
    if any(item.name is None for item in request.items):
        names |= {
            canonicalize_name(change.name)
            for change in outcome.changes
            if canonicalize_name(change.name) != "ipykernel"
        }
    found = {name: index.find(name) for name in sorted(names)}
    return {
        name: public(meant(DistInfo(distribution.metadata).modules))
        for name, distribution in found.items()
        if distribution is not None
    }
