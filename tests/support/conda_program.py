"""Speaks conda's command line and JSON, and does with rattler what they ask for.

`conda install|update --prefix P [--dry-run] --json --yes SPEC...`

The solve, the records and the change of the prefix are real. The words around them (options, keys,
exception names) are written down after conda 24 (`conda/cli/install.py`, `conda/core/link.py`:
`PrefixActionGroup`, `conda/exceptions.py`) and mamba 2 (`libmamba/src/core/transaction.cpp`): those
programs cannot be had here, so nothing tests that they still speak like this.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import rattler
from rattler.exceptions import SolverError

from support.conda import Channel, change, installed, solved

__all__ = ["write_program"]

SCRIPT = """#!{python}
import os, sys
environ = {{**os.environ, "PYTHONPATH": {tests!r}, "PYTHONNOUSERSITE": "1"}}
words = [{python!r}, "-m", "support.conda_program", {kind!r}, {channel!r}, {log!r}, *sys.argv[1:]]
os.execve({python!r}, words, environ)
"""


def write_program(path: Path, channel: Channel, log: Path) -> Path:
    """Write a program at `path` that manages environments from `channel`; its name is its kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = {"python": sys.executable, "tests": str(Path(__file__).parents[1]), "kind": path.name}
    text = SCRIPT.format(**words, channel=str(channel.folder), log=str(log))
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def answered(kind: str, channel: Channel, words: list[str]) -> tuple[int, dict[str, Any]]:
    """Carry out a command line; return its exit status and its answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["install", "update"])
    parser.add_argument("--prefix", type=Path, required=True)
    for option in ("--json", "--yes", "--dry-run", "--no-deps", "--force-reinstall"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("specs", nargs="+")
    given = parser.parse_args(words)
    try:
        records = asyncio.run(solved(channel.folder, given.prefix, given.specs))
    except SolverError as error:
        return 1, failure(str(error), given.specs)
    before = {str(record.url): record for record in installed(given.prefix)}
    after = {str(record.url): record for record in records}
    if given.force_reinstall:  # what is named is unlinked and linked again
        named = {rattler.MatchSpec(spec).name.normalized for spec in given.specs}
        again = {url for url, record in after.items() if record.name.normalized in named}
    else:
        named, again = set(), set()
    if before.keys() == after.keys() and not again:
        return 0, {"message": "All requested packages already installed.", "success": True}
    link = [described(kind, after[url]) for url in (after.keys() - before.keys()) | again]
    unlink = [
        described(kind, before[url])
        for url in (before.keys() - after.keys()) | (again & before.keys())
    ]
    if not given.dry_run:
        asyncio.run(change(given.prefix, records, channel.cache, named))
    answer = {
        "actions": {"FETCH": [], "LINK": link, "PREFIX": str(given.prefix), "UNLINK": unlink},
        "prefix": str(given.prefix),
        "success": True,
    }
    return 0, answer | ({"dry_run": True} if given.dry_run else {})


def described(kind: str, record: rattler.RepoDataRecord) -> dict[str, Any]:
    """Return one entry: conda names seven keys, mamba prints the whole record."""
    full: dict[str, Any] = json.loads(record.to_json())
    if kind != "conda":
        known = {key: value for key, value in full.items() if key not in ("files", "paths_data")}
        return {**known, "build_string": full["build"]}
    return {
        "base_url": full["channel"].rstrip("/"),
        "build_number": full["build_number"],
        "build_string": full["build"],
        "channel": full["channel"].rstrip("/").rsplit("/", 1)[-1],
        "dist_name": f"{full['name']}-{full['version']}-{full['build']}",
        "name": full["name"],
        "platform": full["subdir"],
        "version": full["version"],
    }


def failure(said: str, specs: list[str]) -> dict[str, Any]:
    """Return the answer to a solve that has no solution."""
    missing = [
        spec for spec in specs if f"No candidates were found for {spec.split('=')[0]}" in said
    ]
    kind = "PackagesNotFoundError" if missing else "LibMambaUnsatisfiableError"
    return {
        "caused_by": "None",
        "error": f"{kind}: {said}",
        "exception_name": kind,
        "exception_type": f"<class 'conda.exceptions.{kind}'>",
        "message": said,
        "success": False,
        **({"packages": missing} if missing else {}),
    }


def main() -> int:
    """Write down what was asked, do it, answer."""
    kind, folder, log, *words = sys.argv[1:]
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(json.dumps(words) + "\n")
    status, answer = answered(kind, Channel(Path(folder)), words)
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
