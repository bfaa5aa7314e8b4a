"""The story: what happens in which order, with the effects passed in."""

from __future__ import annotations

from safeinstall.interpreter import environment_of, this_environment
from safeinstall.operations.area import History, history, prune, recover, undo
from safeinstall.operations.install import install
from safeinstall.operations.locate import intend
from safeinstall.operations.survey import Survey, survey
from safeinstall.operations.uninstall import uninstall
from safeinstall.operations.where import Where, where
from safeinstall.operations.world import KEEP, Keeping, Progress, World, folder, here, there

__all__ = [
    "KEEP",
    "History",
    "Keeping",
    "Progress",
    "Survey",
    "Where",
    "World",
    "environment_of",
    "folder",
    "here",
    "history",
    "install",
    "intend",
    "prune",
    "recover",
    "survey",
    "there",
    "this_environment",
    "undo",
    "uninstall",
    "where",
]
