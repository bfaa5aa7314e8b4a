"""Read a line, a cell or a command line into one frozen request."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from safeinstall.errors import RequestError
from safeinstall.frontend import NOTEBOOK, Frontend, credentials, redact
from safeinstall.request.commands import (
    InstallRequest,
    RequestItem,
    TypedAt,
    UninstallRequest,
    near,
)
from safeinstall.request.corrections import (
    NO_SHELL,
    OF_A_CELL,
    Mistake,
    request_error,
    together,
)
from safeinstall.request.line import tokenize
from safeinstall.request.names import distribution_of
from safeinstall.request.option_parser import (
    DASHES,
    OptionWord,
    kept,
    kept_file,
    read_option,
    width,
)
from safeinstall.request.options import OPTION_NAMES, serves
from safeinstall.request.requirement import absolute, read_editable, read_hash, read_requirement
from safeinstall.request.requirements_file import Files, fill, logical_lines, read_text
from safeinstall.request.toml_files import Listed, block_in, in_block, kind_of

_MOST_BLANKS: Final = 6
"""In a path that was typed without quotes."""
Read = Callable[[str], str]
"""Returns the text of the file at an absolute path."""
_INSTALLERS: Final = [
    "python",
    "python3",
    "py",
    "-m",
    "pip",
    "pip3",
    "uv",
    "conda",
    "mamba",
    "micromamba",
]


@dataclass(slots=True)
class Reader:
    """Walks over the words once; every mistake knows the words it is about."""

    words: tuple[str, ...]
    cwd: str
    at: TypedAt
    secrets: tuple[str, ...] = ()
    ends: tuple[int, ...] = ()
    """Where the line typed ends, and then each line of its cell."""
    fields: dict[str, Any] = field(default_factory=dict)
    paths: list[tuple[int, str, bool]] = field(default_factory=list)
    """Place and path of the files to read, and whether they only constrain."""
    requirements: list[tuple[int, str]] = field(default_factory=list)
    """Place and text of what to install."""
    editables: list[tuple[int, str]] = field(default_factory=list)
    hashes: dict[int, list[str]] = field(default_factory=dict)
    """By place of the requirement they follow."""
    groups: list[tuple[int, str]] = field(default_factory=list)
    extras: list[tuple[int, str]] = field(default_factory=list)
    """Place and text of the groups and of the extras of files."""
    block: Listed | None = None
    """What the script block of the cell says besides its lines."""

    def __post_init__(self) -> None:
        """Note what is secret in the words."""
        typed = (secret for word in self.words for secret in credentials(word))
        self.secrets = (*self.secrets, *typed)

    def install(self, read: Read, environ: Mapping[str, str]) -> InstallRequest:
        """Return the request to install that the words make."""
        self._walk()
        typed = [*self._typed(), *self._typed_editables()]
        files = Files(
            cwd=self.cwd,
            read=read,
            environ=environ,
            typed=dict(self.fields),
            typed_editables=frozenset(item.text for item in typed if item.kind == "editable"),
            obey_options="allow-file-options" in self.fields.get("allow", ()),
            command=redact(self.at.line(*self.words), self.secrets),
            extras=tuple(name for _, name in self.extras),
            groups=tuple(group for _, group in self.groups if ":" not in group),
        )
        if self.block:
            files.note(self.block, "The cell", "the cell")
        for index, path, constraint in sorted(self.paths, key=lambda each: each[2]):
            try:
                files.add(path, constraint=constraint)
            except Mistake as mistake:
                raise self._file_error(mistake, index) from None
        self._take_groups(files)
        if files.lock and (len(files.seen) > 1 or typed or len(self.groups) > len(files.groups)):
            words = f"{files.lock} is whole by itself: what else there is has a line of its own."
            raise RequestError(words, hint=self.at.line(*self._words_of(files.lock)))
        self._obey(files.options)
        sets = {
            name: frozenset(value) if name.startswith("allow") else tuple(dict.fromkeys(value))
            for name, value in self.fields.items()
            if isinstance(value, list)
        }
        lists = dict.fromkeys(
            path for _, path, only_constrains in self.paths if not only_constrains
        )
        listed = (
            *(item.text for item in files.items),
            *(option.value for option in files.options),
        )
        secrets = (secret for word in listed for secret in credentials(word))
        return InstallRequest(
            **{**self.fields, **sets},
            cwd=self.cwd,
            items=tuple(dict.fromkeys((*typed, *files.items))),
            requirement_files=tuple(lists),
            constraint_files=tuple(files.constraint_files),
            constraints=tuple(dict.fromkeys(files.constraints)),
            demands=tuple(files.demands),
            cutoffs=tuple(files.cutoffs),
            unheeded=tuple(files.unheeded),
            secrets=(*self.secrets, *files.secrets, *secrets),
        )

    def uninstall(self) -> UninstallRequest:
        """Return the request to remove what the words name."""
        self._walk()
        items = self._typed()
        for item in items:
            if item.kind != "named" or not item.name:
                words = f"Names are uninstalled, not {item.text}."
                raise RequestError(words, hint=self.at.frontend.help(self.at.command))
            if item.requirement and item.requirement.specifier:
                words = (
                    f"{item.text} names a version; what is installed goes, whatever its version."
                )
                line = [str(item.name) if word == item.text else word for word in self.words]
                raise RequestError(words, hint=self.at.line(*line))
        if not items and not self.fields.get("help"):
            hint = self.at.frontend.help(self.at.command)
            raise RequestError("Names are uninstalled, not nothing.", hint=hint)
        allow = frozenset(self.fields.pop("allow", ()))
        return UninstallRequest(
            **self.fields, cwd=self.cwd, items=tuple(dict.fromkeys(items)), allow=allow
        )

    def _walk(self) -> None:
        """Sort the words into options and requirements."""
        if installer := without_installer(self.words):
            text = " ".join(self.words[:installer])
            raise self._error(Mistake(f"`{text}` is not needed here."), 0, installer)
        if self.words[0:1] in (("import",), ("from",)) and len(self.words) > 1 and not self.ends:
            raise self._error(*_of_statement(self.words))
        index, only_names = 0, False
        while index < len(self.words):
            word, start = self.words[index], index
            index += 1
            if word == "--" and not only_names:
                only_names = True
            elif only_names or not word.startswith(("-", *DASHES)):
                self.requirements.append((start, word))
            else:
                try:
                    index = start + self._take(start)
                except Mistake as mistake:
                    stop = start + width(self.words, start)
                    raise self._error(mistake, start, stop) from None

    def _take(self, index: int) -> int:
        """Take in the options at `index`; return how many words they took."""
        word = self.words[index]
        if word[0] in DASHES:
            plain = word.lstrip(DASHES + "-")
            better = f"-{plain}" if len(plain) == 1 else f"--{plain}"
            raise Mistake(f"`{word}` begins with a dash that is no hyphen.", instead=(better,))
        found = read_option(self.words, index)
        at_prompt = self.at.frontend.in_notebook
        for each in found:
            if not serves(each.option, self.at.command):
                raise Mistake(f"{each.option.names[0]} is no option of {self.at.opening}.")
            if each.option.command_only and at_prompt and not self._makes_new():
                raise Mistake(f"{each.option.names[0]} is for the command line only.")
            self._set(each, index)
        return found[-1].words

    def _makes_new(self) -> bool:
        """Tell whether the words ask for a new environment, whose Python may be chosen."""
        return any(word.partition("=")[0] == "--new-env" for word in self.words)

    def _set(self, found: OptionWord, index: int = 0) -> None:
        """Put an option into its field."""
        name, value = found.option.field, found.value
        if name == "editables":
            self.editables.append((index, value))
        elif name in ("requirement_files", "constraint_files"):
            path = kept_file(value, self.cwd)
            self.paths.append((index, path, name == "constraint_files"))
        elif name == "hashes":
            if not self.requirements:
                raise Mistake("--hash follows the requirement it belongs to.")
            self.hashes.setdefault(self.requirements[-1][0], []).append(read_hash(value))
        elif found.option.kind == "switch":
            self.fields[name] = True
        elif name in ("groups", "extras"):
            (self.groups if name == "groups" else self.extras).append((index, value))
            self.fields.setdefault(name, []).append(value)
        elif found.option.kind == "allow":
            self.fields.setdefault(name, []).append(found.option.names[0].removeprefix("--"))
        elif found.option.kind in ("value", "place"):
            self.fields[name] = kept(name, value, self.cwd)
        else:
            self.fields.setdefault(name, []).append(kept(name, value, self.cwd))

    def _words_of(self, lock: str) -> list[str]:
        """Return the words without what stands beside the lock."""
        hashes = [(i, word) for i, word in enumerate(self.words) if word.startswith("--hash")]
        others = [*self.requirements, *hashes, *self.editables]
        others += [(index, path) for index, path, _ in self.paths if not path.endswith(lock)]
        others += [(index, group) for index, group in self.groups if ":" in group]
        beside: set[int] = set()
        for index, _ in others:
            beside |= {*range(index, index + width(self.words, index))}
        return [word for index, word in enumerate(self.words) if index not in beside]

    def _take_groups(self, files: Files) -> None:
        """Read the dependency groups, which a lock has read already; check the extras."""
        for index, value in self.groups:
            path, _, name = value.rpartition(":")
            try:
                if files.lock and not path:
                    files.check_group(name)
                    continue
                kind = kind_of(path or "pyproject.toml")
                if kind == "lock":
                    better = Mistake("A lock is read first.", instead=("-r", path, "--group", name))
                    raise self._error(better, index, index + width(self.words, index))
                if kind != "project":
                    raise Mistake(f"--group {value}: groups are in a pyproject.toml.")
                files.add_group(absolute(path or "pyproject.toml", self.cwd), name)
            except Mistake as mistake:
                projects = [place for _, place, _ in self.paths if place.endswith("pyproject.toml")]
                close = mistake.instead[0] if mistake.instead else ""
                if projects and not path and not Path(self.cwd, "pyproject.toml").exists():
                    path, close = near(projects[0], self.cwd).removeprefix("./"), name
                if close:
                    mistake.instead = ("--group", f"{path}:{close}" if path else close)
                raise self._error(mistake, index, index + width(self.words, index)) from None
        for index, name in self.extras:
            try:
                files.check_extra(name)
            except Mistake as mistake:
                mistake.instead = mistake.instead and ("--extra", *mistake.instead)
                raise self._error(mistake, index, index + width(self.words, index)) from None

    def _obey(self, found: Sequence[OptionWord]) -> None:
        """Put the options of files into their fields; a typed value stays."""
        for each in found:
            if each.option.kind != "value" or each.option.field not in self.fields:
                try:
                    self._set(each)
                except Mistake as mistake:
                    raise RequestError(redact(mistake.message, self.secrets)) from None

    def _typed(self) -> list[RequestItem]:
        stdlib_names = "allow-stdlib-name" in self.fields.get("allow", ())
        items = []
        self._check_apart()
        for index, text in self.requirements:
            hashes = tuple(self.hashes.get(index, ()))
            try:
                items.append(
                    read_requirement(text, cwd=self.cwd, hashes=hashes, stdlib_names=stdlib_names)
                )
            except Mistake as mistake:
                raise self._error(mistake, index, index + 1) from None
        return items

    def _check_apart(self) -> None:
        """Refuse a name and a version that became two words, and a path with blanks that did."""
        for end, _ in self.requirements:
            for start in range(end - 1, max(end - _MOST_BLANKS, 0) - 1, -1):
                joined = " ".join(self.words[start : end + 1])
                if not joined.startswith("-") and Path(absolute(joined, self.cwd)).exists():
                    words = f"`{joined}` has a blank in it: quotes keep it together."
                    place = joined if "/" in joined or os.sep in joined else f"./{joined}"
                    raise self._error(Mistake(words, instead=(place,)), start, end + 1)
        for (before, name), (index, text) in itertools.pairwise(self.requirements):
            if index == before + 1 and (better := together(name, text)):
                words = f"`{name} {text}` is two words; a requirement is one."
                raise self._error(Mistake(words, instead=(better,)), before, index + 1)

    def _typed_editables(self) -> list[RequestItem]:
        items = []
        for index, text in self.editables:
            try:
                items.append(read_editable(text, cwd=self.cwd))
            except Mistake as mistake:
                if mistake.instead and text not in mistake.instead:
                    mistake.instead = ("-e", *mistake.instead)
                raise self._error(mistake, index, index + width(self.words, index)) from None
        return items

    def _file_error(self, mistake: Mistake, index: int) -> RequestError:
        """Return the error for a file that cannot be read, with the nearest name in its place."""
        if mistake.instead and len(mistake.instead) > 1:
            mistake.instead = [near(each, self.cwd) for each in mistake.instead]
        elif mistake.instead:
            name = self.words[index].partition("=")[0]
            close = near(mistake.instead[0], self.cwd).removeprefix("./")
            mistake.instead = (name if name in OPTION_NAMES else "-r", close)
        return self._error(mistake, index, index + width(self.words, index))

    def _error(self, mistake: Mistake, start: int, stop: int) -> RequestError:
        """Return the error with the line put right; a line of a cell may be left out whole.

        What stands beside text for a shell is no package, nor beside the options of a command.
        """
        shell = mistake.message.endswith(NO_SHELL)
        for first, end in itertools.pairwise(self.ends):
            if first <= start < end:
                known = mistake.instead or mistake.alone or self.words[start].startswith("--")
                if shell or not known:
                    start, stop = first, end
                if shell:
                    mistake.message += f" {OF_A_CELL}"
                    mistake.instead, mistake.ends = None, False
                break
        return request_error(mistake, self.words, (start, stop), self.at, self.secrets)


def parse(
    line: str | Sequence[str],
    body: str | None = None,
    *,
    cwd: str | os.PathLike[str],
    read: Read = read_text,
    environ: Mapping[str, str] | None = None,
    frontend: Frontend = NOTEBOOK,
) -> InstallRequest:
    """Return what a `%safeinstall` line, or a `%%safeinstall` line and its `body`, asks for.

    `line` is text to be split by our rules, or words split already, each requirement one word.
    `cwd` is where relative paths start, `read` opens requirements files, `environ` fills
    `${NAME}` in files and cells, `frontend` is where it was typed.
    Raises `RequestError`, and nothing else, for whatever is wrong.
    """
    at = TypedAt(frontend)
    words = tokenize(line, at=at) if isinstance(line, str) else tuple(line)
    known = os.environ if environ is None else environ
    here = os.path.normpath(Path(cwd).absolute())
    if body is None:
        return Reader(words, here, at).install(read, known)
    listed, own, body = _block_rows(body, here, at)
    rows, secrets = _body_rows(body, known, words, at)
    rows = (*own, *rows)
    if not rows and not listed:
        asked = Reader(words, here, at).install(read, known)
        hint = frontend.help("install") if asked.empty else at.line(*words)
        raise RequestError(
            "The cell lists nothing to install: each of its lines is a requirement.",
            hint=redact(hint),
        )
    every = (*words, *itertools.chain(*rows))
    ends = tuple(itertools.accumulate(map(len, rows), initial=len(words)))
    return Reader(every, here, at, secrets, ends, block=listed).install(read, known)


def parse_uninstall(
    line: str | Sequence[str], *, cwd: str | os.PathLike[str], frontend: Frontend = NOTEBOOK
) -> UninstallRequest:
    """Return what a `%safeuninstall` line, or the words of the command, ask for.

    Raises `RequestError` for anything but names, and for options that are not the command's.
    """
    at = TypedAt(frontend, "uninstall")
    words = tokenize(line, at=at) if isinstance(line, str) else tuple(line)
    return Reader(words, os.path.normpath(Path(cwd).absolute()), at).uninstall()


def _block_rows(
    body: str, cwd: str, at: TypedAt
) -> tuple[Listed | None, tuple[tuple[str, ...], ...], str]:
    """Return what the script block of a cell lists, also as rows of words, and the rest of it."""
    try:
        block = block_in(body, "The cell")
        if block is None:
            return None, (), body
        listed = in_block(block, "The cell")
    except RequestError as error:
        if not error.command:
            error.hint = at.frontend.help(at.command)
        raise
    return listed, listed.words(cwd), body[: block.start] + body[block.end :]


def _body_rows(
    body: str, environ: Mapping[str, str], typed: tuple[str, ...], at: TypedAt
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return the words of each of a cell's lines, and the values of variables in them."""
    rows: list[tuple[str, ...]] = []
    secrets: list[str] = []
    shell: RequestError | None = None
    for _, content in logical_lines(body):
        row: list[str] = []
        try:
            words = tokenize(content, at=at)
        except RequestError as error:
            if not error.message.endswith(NO_SHELL):
                raise
            shell = shell or error
            continue
        for word in words:
            filled, used = fill(word, environ)
            if filled.startswith("-") and not word.startswith("-"):
                raise RequestError(f"{word} is filled in with an option.")
            row.append(filled)
            secrets += used
        rows.append(tuple(row))
    if shell:
        others = (*typed, *itertools.chain(*rows))
        mistake = Mistake(f"{shell.message} {OF_A_CELL}", context=shell.context)
        raise request_error(mistake, others, (len(others), len(others)), at, secrets)
    return tuple(row for row in rows if row), tuple(secrets)


def _of_statement(words: tuple[str, ...]) -> tuple[Mistake, int, int]:
    """Return what to say about an import, with the package that it wants."""
    module = words[1].strip(",;")
    wanted = distribution_of(module) or module.split(".")[0].replace("_", "-")
    text = f"`{words[0]} {module}` is Python; the package is {wanted}."
    return Mistake(text, instead=(wanted,)), 0, len(words)


def without_installer(words: tuple[str, ...]) -> int:
    """Return how many words of `pip install`, `uv add`, `python -m pip install` stand in front."""
    for count, word in enumerate(words[:5]):
        plain = word.lstrip("!%").lower()
        if plain in ("install", "add") and count + 1 < len(words) and (count or plain != "add"):
            return count + 1
        if plain not in _INSTALLERS:
            break
    return 0
