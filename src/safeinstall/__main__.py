"""`python -m safeinstall` and the console script: the command line of `safeinstall.cli`."""

from __future__ import annotations

import sys

from safeinstall.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
