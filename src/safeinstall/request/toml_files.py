"""What files in TOML list: a script's block (PEP 723) and pyproject.toml (PEP 621, PEP 735).

Text in, lines out: nothing here opens a file. What is wrong with the text is a `RequestError`; that
it is another file than was meant is a `Mistake`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any, Final, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from safeinstall.errors import RequestError
from safeinstall.frontend import redact
from safeinstall.request.corrections import Mistake
from safeinstall.request.requirement import absolute, is_url, refuse_notebook

Kind = Literal["lines", "script", "project", "lock"]

_LOCK: Final = re.compile(r"pylock\.(?:[^.]+\.)?toml")
_OTHER_LOCKS: Final = {
    "uv.lock": "uv export --format pylock.toml -o pylock.toml",
    "poetry.lock": "poetry export -o requirements.txt",
    "pdm.lock": "pdm export --format pylock -o pylock.toml",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
}
"""Locks of one program, and what that program writes the list with that others read."""
_BLOCK: Final = re.compile(r"(?m)^# /// script$\n(?P<body>(?:^#(?: .*)?$\n)*)^# ///$")
_OPENING: Final = re.compile(r"(?m)^# /// script$")
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_OPTIONS: Final = {
    "index-url": "--index-url",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
}
_UNHEEDED: Final = frozenset(
    {"exclude-newer-package", "constraint-dependencies", "override-dependencies"}
    | {"exclude-dependencies", "prerelease", "resolution", "index-strategy", "fork-strategy"}
    | {"no-index", "no-binary", "no-binary-package", "no-build", "no-build-package", "no-sources"}
)
"""Keys of `[tool.uv]` that have a say in what is chosen (uv: `ResolverInstallerSchema`)."""


def kind_of(path: str) -> Kind:
    """Return what the name of a file says of its grammar (uv: `RequirementsSource`).

    Raises `Mistake` for what lists no requirements.
    """
    name = PurePath(path).name
    if name == "pyproject.toml":
        return "project"
    if _LOCK.fullmatch(name):
        return "lock"
    refuse_notebook(name)
    if name in ("setup.py", "setup.cfg"):
        instead = ("--editable", str(PurePath(path).parent))
        raise Mistake(f"{name} lists nothing by itself: its folder installs.", instead=instead)
    if name in _OTHER_LOCKS:
        words = f"{name} is read by its own program alone, which writes a list for others:"
        raise Mistake(f"{words} {_OTHER_LOCKS[name]}")
    if name.endswith(".toml"):
        raise Mistake(
            f"{name} is neither pyproject.toml nor a lock (pylock.toml, pylock.NAME.toml)."
        )
    return "script" if name.endswith(".py") else "lines"


def read_toml(text: str, shown: str) -> dict[str, Any]:
    """Return the table a text in TOML holds; raise `RequestError` where it is none."""
    try:
        return dict(_toml(shown).loads(text))
    except (ValueError, RecursionError) as error:
        reason = str(error)
        place = _PLACE.search(reason)
        line = f" (line {place[1]})" if place and place[1] else ""
        reason = _PLACE.sub("", reason[:1].lower() + reason[1:])
        raise RequestError(f"{shown} is no TOML{line}: {reason}.") from None


def _toml(shown: str) -> Any:
    """Return the reader of TOML: Python's own, which came with 3.11, or the same as a package.

    Looked for only here: a kernel that the panel serves has what it has.
    """
    for name in ("tomllib", "tomli"):
        with suppress(ModuleNotFoundError):
            return import_module(name)
    words = f"{shown} is TOML, which Python 3.10 reads with tomli alone."
    raise RequestError(words, command=("install", "tomli"))


@dataclass(frozen=True, slots=True)
class Block:
    """The block `script` of a text (PEP 723): where it stands, and its TOML."""

    start: int
    end: int
    body: str
    line: int
    """The number of its first line."""


def block_in(text: str, shown: str) -> Block | None:
    """Return the one block of the text, None when there is none; the rule is PEP 723's reference.

    Raises `RequestError` for a block that is not closed, and for two of them.
    """
    found = list(_BLOCK.finditer(text))
    openings = list(_OPENING.finditer(text))
    if len(found) > 1:
        raise RequestError(f"{shown} has {len(found)} PEP 723 blocks; a script has one.")
    if not found:
        if not openings:
            return None
        number = text.count("\n", 0, openings[0].start()) + 1
        words = f"{shown}:{number} opens a PEP 723 block that nothing closes."
        rule = "Each of its lines begins with `# `, and the last one is `# ///`."
        raise RequestError(words, context=rule)
    (block,) = found
    body = "".join(f"{line[2:]}\n" for line in block["body"].splitlines())
    line = text.count("\n", 0, block.start()) + 1
    return Block(block.start(), block.end(), body, line)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """What one file lists."""

    requirements: tuple[str, ...]
    requires_python: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Its table `[tool.uv]`."""

    def words(self, folder: str, *, sources_only: bool = False) -> tuple[tuple[str, ...], ...]:
        """Return the lines that say the same: a requirement, or an option and its value.

        Relative paths start at `folder`. `sources_only`: uv reads the file's other settings itself.
        """
        sources = _table(self.settings, "sources")
        known: dict[str, Any] = {canonicalize_name(name): sources[name] for name in sources}
        rows = [_lowered(text, known, folder) for text in self.requirements]
        options = () if sources_only else _options(self.settings, folder)
        return (*options, *rows)

    @property
    def cutoff(self) -> str:
        """Its cut-off of uploads (`exclude-newer`), or empty."""
        return str(self.settings.get("exclude-newer", ""))

    def unheeded(self, *, sources_only: bool = False) -> tuple[str, ...]:
        """Return the settings that are not obeyed, as keys of `[tool.uv]`."""
        sources = _table(self.settings, "sources")
        listed = {_name_of(text) for text in self.requirements}
        found = [] if sources_only else [key for key in self.settings if key in _UNHEEDED]
        found += [
            f"sources.{name}"
            for name, source in sources.items()
            if canonicalize_name(name) in listed and not _place_in(source)
        ]
        return tuple(found)


def in_script(text: str, shown: str) -> Listed:
    """Return what the block of a script lists. Raises `Mistake` when it has none."""
    text = text.replace("\r\n", "\n")
    block = block_in(text, shown)
    if block is None:
        raise Mistake(f"{shown} has no PEP 723 block (# /// script) that lists what it needs.")
    return in_block(block, shown)


def in_block(block: Block, shown: str) -> Listed:
    """Return what a block lists. Raises `RequestError` where it lists nothing."""
    data = read_toml("\n" * block.line + block.body, f"{shown}: its PEP 723 block")
    if "dependencies" not in data:
        raise RequestError(f"{shown}: its PEP 723 block has no `dependencies`.")
    return Listed(
        requirements=_lines(data, "dependencies", f"{shown}: dependencies"),
        requires_python=_text(data, "requires-python", shown),
        settings=_table(_table(data, "tool"), "uv"),
    )


def in_project(data: Mapping[str, Any], shown: str, extras: Sequence[str], folder: str) -> Listed:
    """Return what a pyproject.toml lists with these of its extras that it knows (PEP 621).

    As for `uv pip install -r pyproject.toml`: the project itself is not installed. Raises `Mistake`
    where only a build can tell.
    """
    project = _table(data, "project")
    dynamic = {"dependencies"} | ({"optional-dependencies"} if extras else set())
    why = "has no table [project]" if not project else ""
    if dynamic & set(strings(project, "dynamic")):
        why = "leaves its dependencies to its build (dynamic)"
    if why:
        words = f"{shown} {why}: its folder installs with what it needs."
        raise Mistake(words, instead=("--editable", folder))
    lines = list(_lines(project, "dependencies", f"{shown}: dependencies"))
    known = extras_of(data)
    waiting, seen = [canonicalize_name(extra) for extra in extras], set[str]()
    while waiting:
        extra = waiting.pop(0)
        if extra in seen or extra not in known:
            continue
        seen.add(extra)
        for line in _lines(known, extra, f"{shown}: optional-dependencies.{extra}"):
            own = _name_of(line) == canonicalize_name(str(project.get("name", "")))
            if own:
                waiting += sorted(map(canonicalize_name, Requirement(line).extras))
            else:
                lines.append(line)
    return Listed(requirements=tuple(lines), settings=_table(_table(data, "tool"), "uv"))


def extras_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extras of a project's table, by canonical name."""
    extras = _table(_table(data, "project"), "optional-dependencies")
    return {canonicalize_name(name): lines for name, lines in extras.items()}


def in_group(text: str, shown: str, name: str) -> Listed:
    """Return what one dependency group lists, with the groups that it includes (PEP 735).

    Raises `Mistake` for a name that no group has, with the nearest.
    """
    data = read_toml(text, shown)
    groups: dict[str, Any] = {}
    for given, lines in _table(data, "dependency-groups").items():
        if canonicalize_name(given) in groups:
            raise RequestError(f"{shown} has two groups of the name {given}.")
        groups[canonicalize_name(given)] = lines
    check_known(name, groups, f"{shown} has no group")
    lines = tuple(_group(groups, canonicalize_name(name), shown, ()))
    return Listed(requirements=lines, settings=_table(_table(data, "tool"), "uv"))


def check_known(name: str, known: Iterable[str], words: str) -> None:
    """Raise `Mistake` unless `name` is one of the known ones, with the nearest of them."""
    names = sorted(set(map(canonicalize_name, known)))
    if canonicalize_name(name) in names:
        return
    has = f"it has {', '.join(names)}" if names else "it has none"
    close = get_close_matches(canonicalize_name(name), names, 1, 0.5) or names[:1]
    raise Mistake(f"{words} {name}: {has}.", instead=close or None)


def _group(
    groups: Mapping[str, Any], name: str, shown: str, within: tuple[str, ...]
) -> Iterator[str]:
    """Yield the lines of a group (PEP 735, "Reference Implementation")."""
    if name in within:
        raise RequestError(f"{shown}: {' → '.join((*within, name))} is a circle of groups.")
    if name not in groups:
        raise RequestError(f"{shown}: group {within[-1]} includes {name}, which there is not.")
    if not isinstance(groups[name], list):
        raise RequestError(f"{shown}: group {name} is no list.")
    for entry in groups[name]:
        if isinstance(entry, str) and not entry.strip().startswith("-"):
            yield entry
        elif isinstance(entry, dict) and list(entry) == ["include-group"]:
            other = canonicalize_name(str(entry["include-group"]))
            yield from _group(groups, other, shown, (*within, name))
        else:
            raise RequestError(f"{shown}: group {name} has an entry that is no requirement.")


def _lowered(text: str, sources: Mapping[str, Any], folder: str) -> tuple[str, ...]:
    """Return a requirement from where its source says (uv: `LoweredRequirement`)."""
    source = sources.get(_name_of(text))
    place = _place_in(source)
    if not place or not isinstance(source, dict):
        return (text,)
    requirement = Requirement(text)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    path = "" if is_url(place) else absolute(place, folder)
    if path and source.get("editable"):
        return ("--editable", f"{path}{extras}")
    part = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return (f"{requirement.name}{extras} @ {Path(path).as_uri() if path else place}{part}{marker}",)


def _place_in(source: Any) -> str:
    """Return the repository, URL or path of a source, empty when it is none or not for all."""
    if not isinstance(source, dict) or {"marker", "extra", "group"} & set(source):
        return ""
    if git := source.get("git"):
        revision = source.get("rev") or source.get("tag") or source.get("branch")
        url = str(git) if str(git).startswith("git+") else f"git+{git}"
        return f"{url}@{revision}" if revision else url
    return str(source.get("url") or source.get("path") or "")


def _options(settings: Mapping[str, Any], folder: str) -> Iterator[tuple[str, ...]]:
    """Yield the options that say where uv would look; an `explicit` index serves sources alone."""
    indexes = settings.get("index")
    for index in indexes if isinstance(indexes, list) else ():
        if isinstance(index, dict) and index.get("url") and not index.get("explicit"):
            option = "--index-url" if index.get("default") else "--extra-index-url"
            yield option, _located(str(index["url"]), folder)
    for key, option in _OPTIONS.items():
        value = settings.get(key)
        for each in [value] if isinstance(value, str) else strings(settings, key):
            yield option, _located(each, folder)


def _located(place: str, folder: str) -> str:
    return place if is_url(place) else absolute(place, folder)


def _name_of(text: str) -> str:
    try:
        return canonicalize_name(Requirement(text).name)
    except (InvalidRequirement, RecursionError):
        return ""


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def strings(data: Mapping[str, Any], key: str) -> Sequence[str]:
    """Return a list of texts, empty where there is none."""
    found = data.get(key)
    return [str(each) for each in found] if isinstance(found, list) else ()


def _lines(data: Mapping[str, Any], key: str, shown: str) -> tuple[str, ...]:
    found = data.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise RequestError(f"{shown} is no list of requirements.")
    if option := next((each for each in found if each.strip().startswith("-")), ""):
        raise RequestError(f"{shown}: `{redact(option)}` is no requirement (PEP 508).")
    return tuple(found)


def _text(data: Mapping[str, Any], key: str, shown: str) -> str:
    found = data.get(key, "")
    if not isinstance(found, str):
        raise RequestError(f"{shown}: {key} is no text.")
    return found
