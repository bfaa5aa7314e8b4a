"""Put right what is safe to put right: the environment's own files, in one transaction.

Scripts and their shebangs, `pyvenv.cfg`, `activate`: what they say, and how they read when they are
in order. What is set aside or written anew is one transaction, which undo takes back.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import shlex
import stat
from collections.abc import Sequence
from typing import Final

from safeinstall.doctor.diagnosis import Examination, Repair, Rewrite, Script
from safeinstall.errors import SafeInstallError, TransactionError
from safeinstall.metadata.distribution import distributions_in
from safeinstall.metadata.record import RecordError
from safeinstall.probe.facts.interpreter import pyvenv_settings
from safeinstall.probe.facts.search_path import listed
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.undo import NewFile, repair

_BIGGEST: Final = 256 * 1024
_SHEBANG: Final = re.compile(rb"#!\s*(?P<program>\S+)[^\n]*\n")
_TRAMPOLINE: Final = re.compile(
    rb"#!/bin/sh\n'''exec' \"?(?P<program>[^\"\n]+?)\"? \"\$0\" \"\$@\"\n' '''\n"
)
_VIRTUAL_ENV: Final = re.compile(r"^\s*(?:export )?VIRTUAL_ENV=(?P<words>[^$\n]+)$", re.M)
_QUOTING: Final = re.compile(r"['\"`$\\]")
"""What every shell wants quoted in a way of its own."""
_PYTHONS: Final = re.compile(r"python[\d.]*$")


def mend(examination: Examination) -> Repair:
    """Put right what is safe, as one transaction.

    Raises `TransactionError` and OSError: then nothing was. What stopped it after something had
    been recovered, or a journal set aside, the repair says.
    """
    target = examination.target
    fixes = [d.fix for d in examination.diagnoses if d.fix is not None]
    store = Store.open(target.prefix)
    if not fixes:
        return Repair(done=(), transaction=None)
    with store.lock(timeout=10.0, command="safeinstall doctor"):
        recovered, first = recover_store(store), [fix for fix in fixes if fix.recover]
        failure: SafeInstallError | OSError | None = None
        try:
            for fix in (fix for fix in fixes if fix.transaction):
                store.set_aside(fix.transaction)
                first.append(fix)
        except TransactionError as error:
            failure = error
        aside = list(dict.fromkeys(path for fix in fixes for path in fix.aside))
        rewrites = [rewrite for fix in fixes for rewrite in fix.rewrites]
        files = {new.path: NewFile(new.content, new.mode, new.link) for new in rewrites}
        aside = [path for path in aside if os.path.lexists(path)]
        committed = None
        try:
            if (aside or files) and not failure:
                committed = repair(store, aside, files, "safeinstall doctor --fix")
        except (TransactionError, OSError) as error:
            failure = error
    if failure and not (first or recovered):
        raise failure
    done = tuple(fix.words for fix in (first if failure else fixes))
    id = committed.id if committed else None
    return Repair(done=done, transaction=id, recovered=recovered, failure=failure)


def scripts(folder: str, python: str) -> tuple[Script, ...]:
    """Return the Python scripts of `folder` and the interpreter each starts."""
    found = []
    places = {os.path.realpath(folder), os.path.realpath(os.path.dirname(python))}
    for name in listed(folder):
        path = os.path.join(folder, name)
        program = _program(_head(path))
        if _PYTHONS.search(os.path.basename(program)):
            exists = os.path.exists(program)
            own = os.path.realpath(os.path.dirname(program)) in places
            found.append(Script(path=path, interpreter=program, exists=exists, own=own))
    return tuple(found)


def script_fixes(
    found: Sequence[Script], folders: Sequence[str], python: str
) -> dict[str, tuple[Rewrite, ...]]:
    """Return how each wrong script is put right, with the RECORD that lists it.

    One that no RECORD lists may start another interpreter on purpose, but not one that is gone.
    """
    wrong = {os.path.realpath(s.path): s for s in found if not s.own or not s.exists}
    fixes: dict[str, tuple[Rewrite, ...]] = {}
    for info in distributions_in(folders) if wrong else ():
        try:
            rows = list(info.record.cells())
        except RecordError:
            continue
        mine: list[Rewrite] = []
        paths = []
        for row in rows:
            path = os.path.realpath(os.path.join(info.folder, row[0]))
            if path in wrong:
                rewrite = _with_shebang(path, python)
                row[1:3] = [_hash(rewrite.content), str(len(rewrite.content))]
                mine.append(rewrite)
                paths.append(wrong[path].path)
        if mine:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            mine.append(_rewritten(os.path.join(info.path, "RECORD"), text.getvalue().encode()))
            fixes |= dict.fromkeys(paths, ()) | {paths[0]: tuple(mine)}
    for path, script in wrong.items():
        if script.path not in fixes and not script.exists and os.access(path, os.R_OK):
            fixes[script.path] = (_with_shebang(path, python),)
    return fixes


def activate_names(prefix: str) -> str:
    """Return the folder that `bin/activate` names, or empty."""
    found = _VIRTUAL_ENV.search(_text(os.path.join(prefix, "bin", "activate")))
    try:
        return shlex.split(found["words"])[0] if found else ""
    except (ValueError, IndexError):
        return ""


def activate_rewrites(prefix: str, named: str) -> tuple[Rewrite, ...]:
    """Return the activate scripts with the place they are in; none where it is hard to write."""
    rewrites: list[Rewrite] = []
    if _QUOTING.search(named + prefix):
        return ()
    for name in listed(os.path.join(prefix, "bin")):
        path = os.path.join(prefix, "bin", name)
        if name.lower().startswith(("activate", "deactivate")) and os.path.isfile(path):
            try:
                text = _whole_text(path)
                if named and named in text:
                    content = text.replace(named, prefix).encode(errors="surrogateescape")
                    rewrites.append(_rewritten(path, content))
            except OSError:
                return ()  # all of them name this place afterwards, or none
    return tuple(rewrites)


def home_problem(prefix: str) -> tuple[str, str]:
    """Return the `home` of `pyvenv.cfg` and what is wrong with it; empty when all is well."""
    if not (home := pyvenv_settings(prefix).get("home", "")):
        return "", ""
    if not os.path.isdir(home):
        return home, "which is not there any more"
    if not any(map(_PYTHONS.match, listed(home))):
        return home, "where there is no Python any more"
    python = os.path.join(prefix, "bin", "python")
    if os.path.lexists(python) and not os.path.exists(python):
        return home, f"and {python} leads nowhere"
    return home, ""


def home_rewrites(prefix: str, base: str) -> tuple[Rewrite, ...]:
    """Return `pyvenv.cfg` and the dangling interpreter links, resting on the interpreter `base`."""
    config = os.path.join(prefix, "pyvenv.cfg")
    home = os.path.dirname(base)
    lines = []
    try:
        text = _whole_text(config)
    except OSError:
        return ()
    for line in text.splitlines():
        key = line.partition("=")[0].strip().lower()
        if key == "home":
            line = f"home = {home}"
        elif key in ("executable", "base-executable"):
            line = f"{key} = {base}"
        elif key in ("base-prefix", "base-exec-prefix"):
            line = f"{key} = {os.path.dirname(home)}"
        lines.append(line)
    content = ("\n".join(lines) + "\n").encode(errors="surrogateescape")
    rewrites = [_rewritten(config, content)]
    folder = os.path.join(prefix, "bin")
    for name in listed(folder):
        path = os.path.join(folder, name)
        dangling = os.path.islink(path) and not os.path.exists(path)
        if dangling and _PYTHONS.match(name) and os.path.isabs(os.readlink(path)):
            rewrites.append(Rewrite(path=path, link=base))
    return tuple(rewrites)


def _with_shebang(path: str, python: str) -> Rewrite:
    with open(path, "rb") as file:
        text = file.read()
    line = f"#!{python}\n".encode()
    if len(line) > 127 or b" " in line[2:]:
        line = b"#!/bin/sh\n'''exec' \"" + python.encode() + b'" "$0" "$@"\n\' \'\'\'\n'
    old = _TRAMPOLINE.match(text) or _SHEBANG.match(text)
    return _rewritten(path, line + (text[old.end() :] if old else text))


def _rewritten(path: str, content: bytes) -> Rewrite:
    return Rewrite(path=path, content=content, mode=stat.S_IMODE(os.stat(path).st_mode))


def _program(head: bytes) -> str:
    found = _TRAMPOLINE.match(head) or _SHEBANG.match(head)
    program = found["program"] if found else b""
    return "" if program in (b"/bin/sh", b"/usr/bin/env") else os.fsdecode(program)


def _hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def _head(path: str) -> bytes:
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return b""
        with open(path, "rb") as file:
            head = file.read(1024)
    except OSError:
        return b""
    return head if head[:2] == b"#!" else b""


def _whole_text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_BIGGEST)
    except OSError:
        return ""
