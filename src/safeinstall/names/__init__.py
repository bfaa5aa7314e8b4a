"""Names: which distribution an import name belongs to, and which name was probably meant.

The table and the list are our own, written for this project and under its licence (BSD-3-Clause).
"""

from __future__ import annotations

from safeinstall.names.spelling import slip_of
from safeinstall.names.table import distribution_of, modules_of, table
from safeinstall.names.trusted import popular

__all__ = ["distribution_of", "modules_of", "popular", "slip_of", "table"]
