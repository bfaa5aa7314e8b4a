"""What is asked for, against what is installed and what lies in local folders of wheels.

An index is never asked: where one would decide, the answer is "not known". ``packaging`` is not in
the standard library: there is just enough of PEP 440 and PEP 508 here to tell whether a version
satisfies a requirement, and None where that is not sure.
"""

from __future__ import annotations

import os
import re
from operator import eq, ge, le, ne
from typing import NamedTuple, Sequence, Tuple

from ..facts.search_path import Installed, canonical, find_distribution, read_text, wheel_contents

Key = Tuple[Tuple[int, ...], Tuple[int, int], int]
_MOST_ENTRIES = 5000
_MOST_REQUIREMENTS = 60
"""What comes after is taken for something to install: a prediction must not take long."""
_BIGGEST_FILE = 128 * 1024
_VERSION = re.compile(
    r"^v?(?:\d+!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?"
    r"(?:[-_.]?(post|rev|r)[-_.]?(\d*)|-(\d+))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+[a-z0-9._-]+)?$",
    re.I,
)
_REQUIREMENT = re.compile(
    r"^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*"
    r"(\(?[^;@]*\)?)\s*(?:@\s*(.*?))?\s*(?:;\s*(.*))?$",
    re.S,
)
_CLAUSE = re.compile(r"^(===|==|~=|!=|<=|>=|<|>)\s*([^\s,]+)$")
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}


LOCKS = r"pylock\.([^.]+\.)?toml$"
"""Names of locks (PEP 751)."""


class Candidate(NamedTuple):
    """A distribution in a local folder."""

    name: str
    version: str
    path: str
    wheel: bool


class Unpacked(NamedTuple):
    """What local distributions would write, as far as it is known beforehand."""

    known: bool
    """Whether there is any local distribution."""
    scripts: bool
    folders: tuple[str, ...]
    """``purelib``, ``platlib`` or both."""
    size: int


def unpacked(candidates: Sequence[Candidate]) -> Unpacked:
    """Look into the local distributions that would be installed."""
    contents = [wheel_contents(c.path) if c.wheel else (False, False) for c in candidates]
    folders = {"platlib" if platlib else "purelib" for _, platlib in contents} or {"purelib"}
    size = sum(os.path.getsize(c.path) for c in candidates if os.path.isfile(c.path))
    scripts = any(scripts for scripts, _ in contents)
    return Unpacked(bool(contents), scripts, tuple(sorted(folders)), size)


class Request(NamedTuple):
    """The requirements of one command, taken apart."""

    wanted: tuple[Wanted, ...]
    """Those that name a distribution (with or without bounds)."""
    files: tuple[Candidate, ...]
    """Local wheels named by path."""
    opaque: tuple[str, ...]
    """URLs, folders, editables, groups, tables: nothing is said about them here."""
    problem: str
    """Why the installer would refuse the words, or nothing."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is asked for, as far as they are known."""
        return tuple(w.name for w in self.wanted) + tuple(f.name for f in self.files)


def read_request(
    words: Sequence[str], files: Sequence[str], editables: Sequence[str], cwd: str, tables: str = ""
) -> Request:
    """Read requirement *words*, requirement *files* and *editables* as typed.

    *tables*: a pattern for names of files that the installer does not read by lines.
    """
    texts, opaque = list(words), list(editables)
    problem = ""
    for name in files:
        if "://" in name:
            opaque.append(name)
            continue
        if (lines := _file_lines(os.path.join(cwd, name))) is None:
            problem = problem or "could not open the requirements file %s" % name
            continue
        if tables and re.match(tables, os.path.basename(name)):
            opaque.append(name)
            continue
        opaque += [line for line in lines if line.startswith("-")]
        plain = (line for line in lines if not line.startswith("-"))
        texts += [re.split(r"\s--?[a-z]", line)[0].strip() for line in plain]
    wanted, local = [], []
    opaque += texts[_MOST_REQUIREMENTS:]
    for text in texts[:_MOST_REQUIREMENTS]:
        folder, name = os.path.split(os.path.join(cwd, text))
        if name.endswith(".whl") and os.path.isfile(os.path.join(folder, name)):
            if (candidate := _entry(folder, name)) is not None:
                local.append(candidate)
            continue
        requirement = None if _is_place(text) else parse_requirement(text)
        if requirement is not None and not requirement.url:
            wanted.append(requirement)
            continue
        opaque.append(text)
        # `{` and `$` stand for what only a run can know
        if requirement is None and not (_is_place(text) or "{" in text or "$" in text):
            problem = problem or "%s is not a requirement" % text
    if not (wanted or local or opaque) and not problem:
        problem = "nothing is asked for"
    return Request(tuple(wanted), tuple(local), tuple(opaque), problem)


def _file_lines(path: str) -> list[str] | None:
    """Return the lines of a requirements file without comments; None where it cannot be read."""
    if (content := read_text(path, _BIGGEST_FILE)) is None:
        return None
    lines = content.replace("\\\n", " ").splitlines()
    bare = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in lines)
    return [line for line in bare if line]


def _is_place(text: str) -> bool:
    """Whether *text* is a URL or a folder: nothing can be said about it without building."""
    return "://" in text or os.sep in text or text in (".", "..") or text.startswith("$(")


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


class LocalFolders(NamedTuple):
    """Where distributions are looked for besides an index (``--find-links``)."""

    folders: Sequence[str]
    cwd: str
    pre: bool
    """Whether pre-releases are asked for."""


def best_local(wanted: Wanted, links: LocalFolders) -> Candidate | None:
    """Return the newest distribution of local *links* that meets *wanted*, or None.

    A pre-release is only taken when asked for (also by a bound that is one).
    """
    name = canonical(wanted.name)
    pre = links.pre or any(is_prerelease(bound) for _, bound in wanted.clauses)
    fitting: list[tuple[Key, bool, Candidate]] = []
    for link in links.folders:
        folder = os.path.join(links.cwd, link[7:] if link.startswith("file://") else link)
        try:
            entries = os.listdir(folder)[:_MOST_ENTRIES]
        except OSError:
            continue
        alike = (entry for entry in entries if canonical(entry[: len(wanted.name)]) == name)
        for candidate in filter(None, (_entry(folder, entry) for entry in alike)):
            key = sort_key(candidate.version)
            if key is None or canonical(candidate.name) != name:
                continue
            too_early = is_prerelease(candidate.version) and not pre
            if not too_early and satisfies(candidate.version, wanted) is not False:
                fitting.append((key, candidate.wheel, candidate))
    return max(fitting, key=lambda each: each[:2])[2] if fitting else None


class Compared(NamedTuple):
    """The requirements of a command, compared with what is there."""

    met: bool = False
    """Whether nothing is left to do."""
    replaced: tuple[Installed, ...] = ()
    """Installed copies in the way of another version."""
    chosen: tuple[Candidate, ...] = ()
    """Local distributions that would be installed, where that is sure."""
    missing: str = ""
    """The name of what cannot be had."""


def compare(
    request: Request,
    installed: Sequence[str],
    links: LocalFolders,
    *,
    offline: bool,
    upgrade: bool,
    again: bool,
    links_decide: bool,
    links_are_taken: bool,
) -> Compared:
    """Compare each requirement with the folders *installed* and with local folders.

    *again* asks for an install whatever is there. *links_decide*: the newest version in local
    folders counts as the newest there is; *links_are_taken*: what is found there is installed.
    """
    met = bool(request.wanted) and not (request.files or request.opaque)
    replaced, chosen = [], list(request.files)
    for wanted in request.wanted:
        copy, holds = standing(wanted, installed)
        best = best_local(wanted, links) if links.folders else None
        if offline and best is None and not (holds and not upgrade):
            return Compared(missing=wanted.name)
        newest = links_decide and best is not None and copy and best.version == copy.version
        if holds and not again and not (upgrade and not newest):
            continue
        met = False
        if best is not None and links_are_taken:
            chosen.append(best)
        if copy:
            replaced.append(copy)
    return Compared(met, tuple(replaced), tuple(chosen))


def standing(wanted: Wanted, folders: Sequence[str]) -> tuple[Installed | None, bool]:
    """Return the installed copy of *wanted* on *folders*, and whether it surely satisfies it."""
    if (copy := find_distribution(wanted.name, folders)) is None:
        return None, False
    return copy, bool(copy.version) and satisfies(copy.version, wanted) is True


class Wanted(NamedTuple):
    """One requirement, taken apart."""

    name: str
    clauses: tuple[tuple[str, str], ...]
    """Pairs such as ``(">=", "2.0")``."""
    url: str


def parse_requirement(text: str) -> Wanted | None:
    """Take a PEP 508 requirement apart; None where *text* is not one (a path, a URL)."""
    if (match := _REQUIREMENT.match(text[:2000])) is None:
        return None
    name, _, specifiers, url, _ = match.groups()
    clauses = []
    for part in specifiers.strip().strip("()").split(","):
        if not part.strip():
            continue
        if (clause := _CLAUSE.match(part.strip())) is None:
            return None
        clauses.append((clause.group(1), clause.group(2)))
    return Wanted(name, tuple(clauses), url or "")


def sort_key(text: str) -> Key | None:
    """Return a key that orders versions, or None for what PEP 440 does not know."""
    if (match := _VERSION.match(text.strip())) is None:
        return None
    release = tuple(int(part) for part in match.group(1).split("."))
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    pre = (3, 0)
    if match.group(2):
        pre = (_PHASES[match.group(2).lower()], int(match.group(3) or 0))
    elif match.group(7) and not match.group(4):
        pre = (-1, int(match.group(8) or 0))
    is_post = match.group(4) or match.group(6)
    post = int(match.group(5) or match.group(6) or 0) if is_post else -1
    return release, pre, post


def is_prerelease(text: str) -> bool:
    """Tell whether *text* is a pre-release or a development release."""
    match = _VERSION.match(text.strip())
    return bool(match and (match.group(2) or match.group(7)))


def _starts_with(version: str, start: str) -> bool | None:
    match, wanted = _VERSION.match(version.strip()), re.match(r"^\d+(\.\d+)*$", start)
    if match is None or wanted is None:
        return None
    parts = [int(part) for part in start.split(".")]
    have = [int(part) for part in match.group(1).split(".")] + [0] * len(parts)
    return have[: len(parts)] == parts


def _holds(version: str, operator: str, bound: str) -> bool | None:
    if operator == "===":
        return version.strip().lower() == bound.lower()
    if operator in ("==", "!=") and bound.endswith(".*"):
        starts = _starts_with(version, bound[:-2])
        return None if starts is None else starts == (operator == "==")
    have, limit = sort_key(version), sort_key(bound)
    if have is None or limit is None:
        return None
    if operator == "~=":
        starts = _starts_with(version, bound.rsplit(".", 1)[0])
        return None if starts is None else starts and have >= limit
    if operator == "<":
        return have < limit and not (is_prerelease(version) and have[0] == limit[0])
    if operator == ">":
        return have > limit and (have[0] != limit[0] or limit[2] >= 0)
    return bool({"==": eq, "!=": ne, "<=": le, ">=": ge}[operator](have, limit))


def satisfies(version: str, wanted: Wanted) -> bool | None:
    """Tell whether *version* meets every clause of *wanted*; None where that is not clear."""
    sure: bool | None = True
    for operator, bound in wanted.clauses:
        if (answer := _holds(version, operator, bound)) is False:
            return False
        sure = sure if answer else None
    return sure
