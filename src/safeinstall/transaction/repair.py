"""Small repairs as a transaction: set something aside, write a file anew; undo brings it back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from safeinstall.errors import TransactionError
from safeinstall.transaction.moves.additions import add_tree
from safeinstall.transaction.moves.commit import Committed, commit
from safeinstall.transaction.moves.prefix import Layout
from safeinstall.transaction.moves.removals import set_aside
from safeinstall.transaction.store.history import Store


class NewFile(NamedTuple):
    """What a file shall be: its content and mode, or a link."""

    content: bytes
    mode: int = 0o644
    link: str = ""


def repair(
    store: Store, aside: Sequence[str], files: Mapping[str, NewFile], command: str
) -> Committed:
    """Set the paths `aside` aside and write `files` (by path); all of it or nothing.

    Use it under the store's lock. Raises TransactionError; the environment is then as it was.
    """
    journal, layout = store.start(command), Layout(store.prefix)
    try:
        leaving = set_aside(layout, aside)
        names = {layout.name(path): new for path, new in files.items()}
        for name, new in names.items():
            _stage(os.path.join(journal.stage, *name.split("/")), new)
        coming = add_tree(layout, journal.stage, leaving, replacing=names)
        if coming.collisions or coming.escapes:
            raise TransactionError(f"{store.prefix} cannot be repaired: something is in the way.")
    except BaseException as error:
        with contextlib.suppress(OSError):
            journal.discard(store.disk)
        if isinstance(error, OSError):
            raise TransactionError(f"The repair could not be prepared: {error}.") from error
        raise
    return commit(journal, layout, store.disk, leaving, coming)


def _stage(path: str, new: NewFile) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if new.link:
        os.symlink(new.link, path)
        return
    with open(path, "wb") as file:
        file.write(new.content)
        os.fsync(file.fileno())
    os.chmod(path, new.mode)
