"""What goes into a new environment: the kernel and what was asked for, through the one door."""

from __future__ import annotations

from dataclasses import replace

from safeinstall.findings import Finding
from safeinstall.installers import hashed
from safeinstall.operations.context import Context
from safeinstall.operations.install import install
from safeinstall.operations.new_request import KERNEL
from safeinstall.outcome import Outcome
from safeinstall.request import InstallRequest

__all__ = ["filled", "without_kernel"]


def filled(wanted: InstallRequest, inside: Context) -> Outcome:
    """Install; where hashes are asked for, the kernel first, whose files nobody has listed.

    What is made is removed as a whole when either fails.
    """
    if KERNEL not in wanted.items or not hashed(wanted):
        return install(wanted, inside)
    first = install(
        replace(wanted, items=(KERNEL,), requirement_files=(), require_hashes=False), inside
    )
    if not first.ok:
        return first
    items = tuple(item for item in wanted.items if item is not KERNEL)
    return install(replace(wanted, items=items), inside)


def without_kernel(finding: Finding) -> Finding:
    """Take ipykernel, which nobody typed, out of the lines to type."""
    hint = tuple(
        replace(way, command=" ".join(w for w in way.command.split(" ") if w != "ipykernel"))
        for way in finding.hint
    )
    return replace(finding, hint=hint)
