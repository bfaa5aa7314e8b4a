"""Read one requirement: a name with versions (PEP 508), a URL, a path.

A word is a place if it has a path separator, ends like a wheel or an archive, or starts with a
URL scheme; a bare name is never one, even where a folder of that name exists.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion

from safeinstall.request.commands import TYPED, ItemKind, RequestItem, near
from safeinstall.request.corrections import Mistake, explain, pointed

_LONGEST: Final = 8192
"""Characters: more than any URL has that a server takes."""
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # two letters at least: C:/ is a drive
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")
_SCP: Final = re.compile(r"(?:git\+)?(?P<host>[\w.-]+@[\w.-]+):(?P<path>[\w./~-]+)")
_EXTRAS: Final = re.compile(r"(?P<path>.*[^\s])(?P<extras>\[[\w\s,.-]*\])", re.DOTALL)
_ARCHIVES: Final = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar")
_VCS: Final = ("git+", "hg+", "svn+", "bzr+")
_PROJECT_PAGE: Final = re.compile(
    r"https?://[^/@\s]+/(?:project|simple)/([\w.-]+)(?:/([\w.!+]+))?/?(?:#.*)?"
)
"""What indexes show of a package, and what they list of it."""
_FORGES: Final = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")

Location = tuple[str, "ItemKind", "str | None"]
"""The text for an installer, the kind, and the canonical name if it can be told."""


def is_url(text: str) -> bool:
    """Return whether `text` starts with a URL scheme."""
    return bool(_URL.match(text))


def looks_local(text: str) -> bool:
    """Return whether `text` is written as a path, whatever exists."""
    return (
        text in (".", "..")
        or text.startswith((".[", "..["))
        or "/" in text
        or "\\" in text
        or _ends_like_a_file(text)
    )


def find_place(text: str, cwd: str) -> Location | None:
    """Return the place `text` names, or None if it is not written as one.

    Raises `Mistake` for a place that does not exist or that nothing can be installed from.
    """
    if is_url(text):
        return place_of_url(text)
    return _local(text, cwd) if looks_local(text) else None


def refuse_scp(text: str) -> None:
    """Raise `Mistake` for `git@host:path`, which git takes for an address and installers do not."""
    if "://" not in text and (scp := _SCP.fullmatch(text)):
        instead = f"git+ssh://{scp['host']}/{scp['path']}"
        raise Mistake(f"`{text}` is no URL.", instead=(instead,))


def absolute(path: str, cwd: str) -> str:
    """Return `path` as seen from `cwd`, without `..`; `~/` is the home directory."""
    expanded = Path(path)
    if path.startswith("~/"):
        try:
            expanded = expanded.expanduser()
        except RuntimeError:
            raise Mistake("`~` means nothing here: you have no home directory.") from None
    return os.path.normpath(Path(cwd) / expanded)


def closest_path(path: str) -> str:
    """Return the existing path most like `path` in its folder, or empty.

    What comes before the ending, or before the version of a wheel or an archive, has to be alike.
    """
    wanted = Path(path)
    try:
        names = [entry.name for entry in wanted.parent.iterdir()]
    except OSError:
        return ""
    alike = [name for name in names if get_close_matches(_stem(wanted.name), [_stem(name)])]
    close = get_close_matches(wanted.name, alike, 1, 0.6)
    return str(wanted.parent / close[0]) if close else ""


def _stem(name: str) -> str:
    return re.split(r"-\d", name)[0] if _ends_like_a_file(name) else Path(name).stem


def place_of_url(text: str, name: str | None = None) -> Location:
    """Return the place of a URL; `name` is the one written before its `@`, if any."""
    url = _split_url(text)
    scheme = url.scheme.lower()
    if scheme.startswith(_VCS):
        _check_repository(text, url)
        egg = parse_qs(url.fragment).get("egg", [""])[0].partition("[")[0]
        return text, "vcs", name or (canonicalize_name(egg) if egg else None)
    if scheme == "file":
        path = unquote(url.path)
        if url.netloc not in ("", "localhost"):
            raise Mistake(f"`{text}` is on another machine.")
        _, kind, found = _local(path[1:] if _DRIVE.match(path[1:]) else path, os.sep)
        return text, kind, name or found
    if scheme not in ("http", "https"):
        raise Mistake(f"`{url.scheme}:` is no way to fetch a package.")
    if not url.hostname:
        raise Mistake(f"`{text}` names no host.")
    forge = url.path.endswith(".git") or url.hostname.removeprefix("www.") in _FORGES
    last = unquote(url.path).rstrip("/").rpartition("/")[2]
    project = None if forge or _ends_like_a_file(last) else _PROJECT_PAGE.fullmatch(text)
    if project:
        listed = "==".join(filter(None, project.groups()))
        raise Mistake(f"`{text}` is a page about a package.", instead=(listed,))
    file_name = unquote(url.path).rpartition("/")[2]
    if name is None and not _ends_like_a_file(file_name):
        if forge:
            raise Mistake(f"`{text}` is a repository.", instead=(f"git+{text}",))
        named = f"if it leads to one, its name goes before it: NAME @ {text}."
        raise Mistake(f"`{text}` is neither a wheel nor an archive; {named}")
    return text, "url", name or _name_in(file_name)


def _check_repository(text: str, url: SplitResult) -> None:
    """Raise `Mistake` for a repository that leads nowhere, as far as that is seen from here."""
    if url.scheme.endswith("+file"):
        if not _exists(unquote(url.path).partition("@")[0]):
            raise Mistake(f"There is no repository at {unquote(url.path)}.")
    elif not url.hostname:
        raise Mistake(f"`{text}` names no host.")


def _split_url(text: str) -> SplitResult:
    """Return the parts of a URL, or raise `Mistake`."""
    if any(character.isspace() for character in text):
        better = re.sub(r"\s", "%20", text)
        raise Mistake(f"`{text}` has a blank in it; a URL has %20 there.", instead=(better,))
    try:
        url = urlsplit(text)
        url.hostname, url.port  # noqa: B018 - these raise for a malformed host or port
    except ValueError:
        raise Mistake(f"`{text}` is no valid URL.") from None
    return url


def _ends_like_a_file(text: str) -> bool:
    return text.lower().endswith((".whl", *_ARCHIVES))


def _local(text: str, cwd: str) -> Location:
    """Return the place of a path: a folder with a project, a wheel, an archive."""
    path, extras = absolute(text, cwd), ""
    match = _EXTRAS.fullmatch(text)
    if match and not _exists(path):
        text = match["path"]
        path, extras = absolute(match["path"], cwd), re.sub(r"\s", "", match["extras"])
    if not _exists(path):
        found = closest_path(path)
        instead = (near(found, cwd) + extras,) if found else None
        raise Mistake(f"There is no file or folder {text}.", instead=instead)
    here = Path(path)
    if here.is_dir():
        if not any((here / name).is_file() for name in ("pyproject.toml", "setup.py")):
            raise Mistake(f"{text} is no project: it has no pyproject.toml and no setup.py.")
        return path + extras, "folder", None
    if path.lower().endswith(".whl"):
        return path + extras, "wheel", _wheel_name(here.name)
    if _ends_like_a_file(path):
        return path + extras, "archive", _name_in(here.name)
    if path.endswith((".txt", ".in", ".py", ".toml")):
        what = "a script" if path.endswith(".py") else "a list of requirements"
        raise Mistake(f"{text} is {what}: -r goes before it.", instead=("-r", text))
    raise Mistake(f"{text} is neither a wheel, an archive nor a folder.")


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # a name too long, a folder closed to us
        return False


def _wheel_name(file_name: str) -> str:
    """Return the name in a wheel's file name, which installers take its compatibility from."""
    try:
        return parse_wheel_filename(file_name)[0]
    except (InvalidWheelFilename, InvalidVersion):
        raise Mistake(f"{file_name} is not named like a wheel (name-version-tags.whl).") from None


def _name_in(file_name: str) -> str | None:
    """Return the canonical name a file name tells, or None."""
    try:
        if file_name.lower().endswith(".whl"):
            return parse_wheel_filename(file_name)[0]
        return parse_sdist_filename(file_name)[0]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


_HASH: Final = re.compile(r"(?:sha256|sha384|sha512):[0-9a-f]{64,128}")
_VERSION: Final = re.compile(r"v?\d+(?:\.\d+)+(?:\.?(?:a|b|rc|post|dev)\d*)*")


def read_requirement(
    text: str,
    *,
    cwd: str,
    origin: str = TYPED,
    hashes: tuple[str, ...] = (),
    stdlib_names: bool = False,
) -> RequestItem:
    """Return the item that `text` asks for; raise `Mistake` if it asks for nothing sensible.

    A name of Python's own library is refused where it was typed, unless `stdlib_names`: files
    list such names for older Pythons.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        words = f"A piece of {len(text):,} characters is no requirement, which begins with"
        raise Mistake(f"{words} {text[:30]}...")
    _check_characters(text)
    refuse_scp(text)
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        return _direct_place(text, cwd, origin, hashes, error)
    if requirement.url is not None:
        return _direct(text, requirement, cwd, origin, hashes)
    if text == requirement.name and looks_local(text):  # x-1.0-py3-none-any.whl is a valid name
        return _direct_place(text, cwd, origin, hashes, None)
    _check_name(text, requirement, cwd, typed=origin == TYPED, stdlib_names=stdlib_names)
    return _named(requirement, "named", origin, hashes)


def read_editable(text: str, *, cwd: str, origin: str = TYPED) -> RequestItem:
    """Return the item for what follows `-e`: a project folder, or a repository."""
    written = text
    if not {"/", "\\"} & set(text) and Path(cwd, text).is_dir():
        written = f"./{text}"  # only a folder can follow -e, so a bare name of one is meant as one
    item = read_requirement(written, cwd=cwd, origin=origin, stdlib_names=True)
    if item.kind not in ("folder", "vcs"):
        words = f"--editable takes a project folder or a repository, not `{text}`."
        raise Mistake(words, instead=(text,))
    return replace(item, kind="editable")


def canonical(requirement: Requirement) -> str:
    """Return the requirement as we write it; `str` of it differs between releases of packaging."""
    extras = ",".join(sorted(requirement.extras))
    name = f"{requirement.name}[{extras}]" if extras else requirement.name
    marker = f"; {requirement.marker}" if requirement.marker else ""
    if requirement.url is None:
        return f"{name}{requirement.specifier}{marker}"
    return f"{name} @ {requirement.url}{' ' if marker else ''}{marker}"


def read_hash(text: str) -> str:
    """Return a hash as installers take it, or raise `Mistake`."""
    value = text.lower()
    if not _HASH.fullmatch(value):
        raise Mistake(f"`{text}` is no hash: write sha256: and 64 hexadecimal digits.")
    return value


def _direct_place(
    text: str, cwd: str, origin: str, hashes: tuple[str, ...], error: Exception | None
) -> RequestItem:
    """Return the item for a bare path or URL."""
    try:
        place = None if text.startswith("-") else find_place(text, cwd)
    except Mistake:
        if is_url(text):
            raise
        explain(text, error, only_shell=True)
        raise
    if place is None:
        explain(text, error)
        raise Mistake(f"`{text}` is not a requirement.", context=pointed(text, 0))
    found, kind, name = place
    return RequestItem(text=found, name=name, kind=kind, origin=origin, hashes=hashes)


def _direct(
    text: str, requirement: Requirement, cwd: str, origin: str, hashes: tuple[str, ...]
) -> RequestItem:
    """Return the item for `name @ URL`; a relative path becomes a `file:` URL."""
    url, name = requirement.url or "", canonicalize_name(requirement.name)
    kind: ItemKind
    if is_url(url):
        _, kind, _ = place_of_url(url, name)
    elif url.lower() in ("latest", "newest", "current"):
        words = f"`{text}`: the newest version is taken when none is named."
        raise Mistake(words, instead=(requirement.name,))
    elif _VERSION.fullmatch(url):
        better = f"{requirement.name}=={url}"
        raise Mistake(f"`{text}`: a version follows ==, not @.", instead=(better,))
    elif looks_local(url):
        place = find_place(url, cwd)
        kind = place[1] if place else "folder"
        requirement = Requirement(canonical(requirement))  # a copy: the caller's stays as it was
        requirement.url = Path(absolute(url, cwd)).as_uri()
    else:
        raise Mistake(f"`{text}`: a URL follows @.", context=pointed(text, text.find("@") + 1))
    return _named(requirement, kind, origin, hashes)


def _named(
    requirement: Requirement, kind: ItemKind, origin: str, hashes: tuple[str, ...]
) -> RequestItem:
    text, name = canonical(requirement), canonicalize_name(requirement.name)
    return RequestItem(
        text=text, name=name, kind=kind, requirement=requirement, origin=origin, hashes=hashes
    )


def refuse_notebook(name: str) -> None:
    """Raise `Mistake` for a notebook, which is no list of requirements."""
    if name.endswith(".ipynb"):
        raise Mistake(f"{name} is a notebook; what it needs is listed nowhere in it.")


def _check_characters(text: str) -> None:
    """Refuse what no eye can see: control characters, zero-width blanks."""
    for column, character in enumerate(text):
        if not character.isprintable() and not character.isspace():
            words = f"There is an invisible character (U+{ord(character):04X}) in it."
            visible, place = "".join(filter(str.isprintable, text)), repr(text)[1:-1]
            raise Mistake(words, instead=(visible,), context=pointed(place, column))
        if character.isspace() and character not in " \t":
            words = f"`{' '.join(text.split())}` is written with a line break or an odd blank."
            raise Mistake(words, instead=text.split())


def _check_name(
    text: str, requirement: Requirement, cwd: str, *, typed: bool, stdlib_names: bool
) -> None:
    """Refuse valid names that cannot be what was meant."""
    name = requirement.name
    if _VERSION.fullmatch(name):
        raise Mistake(f"{name} is a version; a name goes before it: NAME=={name}.")
    refuse_notebook(name)
    if typed and keyword.iskeyword(name):
        raise Mistake(f"`{name}` is a word of Python, not a package.", ends=True)
    script = name.endswith(".py") and Path(cwd, name).is_file()  # there are packages of such names
    if script or name.lower().endswith((".txt", ".toml")):
        raise Mistake(f"{name} is a file: -r goes before it.", instead=("-r", text))
    module = name.lower().replace("-", "_")
    if typed and not stdlib_names and requirement.marker is None:
        for known in sys.stdlib_module_names:
            if known.lower() == module:
                line = f"import {known}"
                words = f"{known} is part of Python itself; there is nothing to install: {line}"
                raise Mistake(words, alone=line)
