"""Small repairs as a transaction: set something aside, write a file anew; undo brings it back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.moves.additions import arrivals
from safeinstall.transaction.moves.commit import Committed, exchange
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.moves.layout import Layout
from safeinstall.transaction.moves.removals import Departures
from safeinstall.transaction.store.area import Area

__all__ = ["NewFile", "patch"]


class NewFile(NamedTuple):
    """What a file shall be: its content and mode, or a link."""

    content: bytes
    mode: int = 0o644
    link: str = ""


def patch(
    area: Area, aside: Sequence[str], files: Mapping[str, NewFile], command: str
) -> Committed:
    """Set the paths `aside` aside and write `files` (by path); all of it or nothing.

    Use it under the area's lock. Raises TransactionError; the environment is then as it was.
    """
    txn = area.begin(command)
    layout, disk = Layout(area.prefix), Disk()
    try:
        leaving = Departures()
        for path in aside:
            _leave(leaving, layout, path)
        names = {}
        for path, new in files.items():
            name = layout.name(path)
            names[name] = new
            _stage(os.path.join(txn.stage, *name.split("/")), new)
        arriving = arrivals(layout, txn.stage, leaving, replacing=names)
        if arriving.collisions or arriving.escapes:
            raise TransactionError(f"{area.prefix} cannot be repaired: something is in the way.")
    except OSError as error:
        txn.abandon()
        raise TransactionError(f"The repair could not be prepared: {error}.") from error
    except BaseException:
        txn.abandon()
        raise
    return exchange(txn._journal, layout, disk, leaving, arriving)


def _leave(leaving: Departures, layout: Layout, path: str) -> None:
    name = layout.name(path)
    leaving.add(layout, name)
    if os.path.isdir(path) and not os.path.islink(path):
        for folder, _, files in os.walk(path):
            for file in files:
                below = os.path.join(folder, file)
                leaving.track(layout.name(below), os.lstat(below))
    else:
        leaving.track(name, os.lstat(path))


def _stage(path: str, new: NewFile) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if new.link:
        os.symlink(new.link, path)
        return
    with open(path, "wb") as file:
        file.write(new.content)
        os.fsync(file.fileno())
    os.chmod(path, new.mode)
