"""What is asked for, against what is installed and what lies in local folders of wheels.

An index is never asked: where one would decide, the answer is "not known".
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from ..facts.installed import Found, canonical, find_distribution
from .version import Wanted, is_prerelease, parse_requirement, satisfies, sort_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

__all__ = ["Candidate", "Request", "best_local", "read_request"]

_MOST_ENTRIES = 5000
_MOST_REQUIREMENTS = 60
"""What comes after is taken for something to install: a prediction must not take long."""
_BIGGEST_FILE = 128 * 1024


class Candidate(NamedTuple):
    """A distribution in a local folder."""

    name: str
    version: str
    path: str
    wheel: bool

    def inside(self) -> tuple[bool, bool]:
        """Return whether the wheel brings scripts and whether it goes to platlib."""
        if not self.wheel:
            return False, False
        # zipimport is part of the interpreter's start; zipfile would cost more than the prediction
        import zipimport

        folder = "-".join(os.path.basename(self.path).split("-")[:2]) + ".dist-info/"
        try:
            archive = zipimport.zipimporter(self.path)
        except (zipimport.ZipImportError, OSError):
            return False, False
        texts = []
        for name in ("entry_points.txt", "WHEEL", "RECORD"):
            try:
                texts.append(archive.get_data(folder + name))
            except (OSError, zipimport.ZipImportError, EOFError, ValueError):
                texts.append(b"")
        getattr(zipimport, "_zip_directory_cache", {}).pop(self.path, None)  # leave no trace
        points, wheel, record = texts
        scripts = b"console_scripts" in points or b"gui_scripts" in points
        scripts = scripts or b".data/scripts/" in record
        platlib = b"root-is-purelib: false" in wheel.lower()
        return scripts, platlib

    def size(self) -> int:
        """Return the bytes of the file."""
        try:
            return os.path.getsize(self.path)
        except OSError:
            return 0


class Request(NamedTuple):
    """The requirements of one command, taken apart."""

    wanted: tuple[Wanted, ...]
    """Those that name a distribution (with or without bounds)."""
    files: tuple[Candidate, ...]
    """Local wheels named by path."""
    opaque: tuple[str, ...]
    """URLs, folders, editables: nothing can be said about them without building."""
    problem: str
    """Why the installer would refuse the words, or nothing."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is asked for, as far as they are known."""
        return tuple(w.name for w in self.wanted) + tuple(f.name for f in self.files)


def read_request(
    words: Sequence[str], files: Sequence[str], editables: Sequence[str], cwd: str
) -> Request:
    """Read requirement *words*, requirement *files* and *editables* as typed."""
    texts = list(words)
    opaque = list(editables)
    problem = ""
    for name in files:
        if "://" in name:
            opaque.append(name)
            continue
        path = os.path.join(cwd, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                content = file.read(_BIGGEST_FILE)
        except OSError:
            problem = problem or "could not open the requirements file %s" % name
            continue
        for line in content.replace("\\\n", " ").splitlines():
            line = re.sub(r"(^|\s)#.*$", "", line).strip()
            if line.startswith("-"):
                opaque.append(line)
            elif line:
                texts.append(re.split(r"\s--?[a-z]", line)[0].strip())
    wanted, local = [], []
    opaque += texts[_MOST_REQUIREMENTS:]
    for text in texts[:_MOST_REQUIREMENTS]:
        path = os.path.join(cwd, text)
        if text.endswith(".whl") and os.path.isfile(path):
            parts = os.path.basename(text).split("-")
            if len(parts) >= 5:
                local.append(Candidate(parts[0], parts[1], path, True))
                continue
        requirement = parse_requirement(text)
        if "://" in text or os.sep in text or text in (".", "..") or text.startswith("$("):
            opaque.append(text)
        elif requirement is None:
            if "{" not in text and "$" not in text:
                problem = problem or "%s is not a requirement" % text
            opaque.append(text)
        elif requirement.url:
            opaque.append(text)
        else:
            wanted.append(requirement)
    if not (wanted or local or opaque) and not problem:
        problem = "nothing is asked for"
    return Request(tuple(wanted), tuple(local), tuple(opaque), problem)


def _entry(folder: str, name: str) -> Candidate | None:
    path = os.path.join(folder, name)
    if name.endswith(".whl"):
        parts = name[:-4].split("-")
        return Candidate(parts[0], parts[1], path, True) if len(parts) >= 5 else None
    for ending in (".tar.gz", ".zip", ".tar.bz2", ".tgz"):
        if name.endswith(ending):
            stem, _, version = name[: -len(ending)].rpartition("-")
            return Candidate(stem, version, path, False) if stem else None
    return None


def best_local(wanted: Wanted, links: Sequence[str], cwd: str, pre: bool) -> Candidate | None:
    """Return the newest distribution of local *links* that meets *wanted*, or None.

    A pre-release is only taken when asked for (*pre*, or a bound that is one).
    """
    name = canonical(wanted.name)
    pre = pre or any(is_prerelease(bound) for _, bound in wanted.clauses)
    best: tuple[tuple[object, bool], Candidate] | None = None
    for link in links:
        folder = os.path.join(cwd, link[7:] if link.startswith("file://") else link)
        try:
            entries = os.listdir(folder)[:_MOST_ENTRIES]
        except OSError:
            continue
        for entry in entries:
            if canonical(entry[: len(wanted.name)]) != name:
                continue
            found = _entry(folder, entry)
            key = sort_key(found.version) if found else None
            if found is None or key is None or canonical(found.name) != name:
                continue
            if satisfies(found.version, wanted) is False or (
                is_prerelease(found.version) and not pre
            ):
                continue
            rank = (key, found.wheel)
            if best is None or rank > best[0]:
                best = (rank, found)
    return best[1] if best else None


def standing(wanted: Wanted, folders: Sequence[str]) -> tuple[Found | None, bool]:
    """Return the installed copy of *wanted* on *folders*, and whether it surely satisfies it."""
    found = find_distribution(wanted.name, folders)
    if found is None:
        return None, False
    return found, bool(found.version) and satisfies(found.version, wanted) is True
