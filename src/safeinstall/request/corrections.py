"""What people type that is no request: what is wrong, and the whole line put right."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from safeinstall.errors import RequestError
from safeinstall.frontend import redact
from safeinstall.request.commands import TypedAt
from safeinstall.request.options import OPTION_NAMES

NO_SHELL: Final = "safeinstall runs no shell."
"""How a message ends that is about text for a shell."""
OF_A_CELL: Final = "Each line of a cell lists requirements."
"""What is said besides where that text stood in a cell."""


class Mistake(Exception):  # noqa: N818 - the word of the trade; it never leaves this room
    """Something wrong with a word; whoever knows the whole line turns it into a `RequestError`."""

    def __init__(
        self,
        message: str,
        *,
        instead: Sequence[str] | None = None,
        context: str = "",
        alone: str = "",
        ends: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.instead = instead
        """The words to type in its place; None if the word can only be left out."""
        self.context = context
        self.alone = alone
        """The line to type when nothing else was asked for."""
        self.ends = ends
        """True if the words after it belong to something else, another command perhaps."""


def pointed(text: str, column: int) -> str:
    """Return `text` with a caret below `column`."""
    return f"{text}\n{' ' * column}^"


def request_error(
    mistake: Mistake,
    words: Sequence[str],
    span: tuple[int, int],
    typed: TypedAt,
    secrets: Sequence[str] = (),
) -> RequestError:
    """Return the error for a mistake in `words[span]`, with the whole line put right."""
    start, stop = span
    left = [*words[:start], *(mistake.instead or ()), *(() if mistake.ends else words[stop:])]
    line = typed.line(*left)
    if not mistake.instead and not _names_something(left):
        line = mistake.alone or typed.frontend.help(typed.command)
    message, hint, context = (redact(t, secrets) for t in (mistake.message, line, mistake.context))
    return RequestError(message, hint=hint, context=context)


def _names_something(words: Sequence[str]) -> bool:
    """Tell whether anything to install is among the words: not only options and their values."""
    for before, word in itertools.pairwise(("", *words)):
        option = OPTION_NAMES.get(before)
        lists = option is None or option.field in ("requirement_files", "editables", "groups")
        if not word.startswith("-") and (lists or not (option and option.takes_value)):
            return True
    return False


_SHELL: Final = re.compile(r"&&|\|\|?|>>|\$\(|\$\{?\w*|`|;|[&{}?]|(?<!\d\.)\*")
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\s*\[[^\]]*\])?"
_ONE_EQUALS: Final = re.compile(rf"(?P<name>{_NAME})\s*=\s*(?P<version>[\w.*+!-]+)")
_TURNED: Final = re.compile(rf"(?P<name>{_NAME})\s*=(?P<sign>[<>])\s*(?P<version>[\w.*+!-]+)")
_NO_VERSION: Final = re.compile(rf"(?P<name>{_NAME}).*?(?P<sign>[<>=!~]+)")
_LATEST: Final = re.compile(rf"(?P<name>{_NAME})\s*[=@]=?\s*(?:latest|newest|current)", re.I)
_TILDE: Final = re.compile(r"(?<=[\w\]])\s*~(?=\s*\d)")
_STAR: Final = re.compile(r"(<=|>=|~=|<|>)(\s*[\d.]*\d)\.\*")
_BLANKS: Final = re.compile(r"[A-Za-z0-9][\w.-]*(?:\s+[A-Za-z0-9][\w.-]*)+")
_FILLED_IN: Final = re.compile(r"\{(?=[A-Za-z_]\w*\}$)(\w+)\}|\$(?=[a-z_]\w*$)(\w+)")
_QUOTES: Final = "“”„‟«»‘’‚‛"


def together(before: str, text: str) -> str:
    """Return `numpy==1.26` for `numpy` and `1.26`, `numpy>=2` for `numpy` and `>=2`, or empty."""
    if not re.fullmatch(_NAME, before) or text[:1].isalpha():
        return ""
    has_sign = text[:1] in "<>=!~"
    joined = f"{before}{text}" if has_sign else f"{before}=={text}"
    return joined if (has_sign or "." in text) and _valid(joined) else ""


def explain(text: str, error: Exception | None, *, only_shell: bool = False) -> None:
    """Raise the `Mistake` that says best why `text` is no requirement.

    `error` is what `packaging` says about it. With `only_shell`, return silently unless a shell
    would have read it differently.
    """
    if not only_shell:
        _explain_slip(text)
    shell = _SHELL.search(text)
    if shell and not _has_marker_start(text, shell):
        sign = shell[0]
        what = "is not filled in" if sign[0] in "${}" else "is not special here"
        shown = "A backquote" if sign == "`" else f"`{sign}`"
        before = text[: shell.start()].strip()
        raise Mistake(
            f"{shown} {what}: {NO_SHELL}",
            instead=(before,) if _valid(before) else None,
            alone=_called(text),
            context=pointed(text, shell.start()),
            ends=sign[0] in ";&|",
        )
    if not only_shell:
        _explain_place(text, error)


def _called(text: str) -> str:
    """Return the call that takes a Python name's value, where `text` is `{name}` or `$name`."""
    name = _FILLED_IN.fullmatch(text)
    return f"import safeinstall; safeinstall.install({name[1] or name[2]})" if name else ""


def _explain_slip(text: str) -> None:
    """Raise for the slips that have one obvious correction."""
    if not text:
        raise Mistake("There is nothing between the quotes.")
    if text.startswith("-"):
        raise Mistake(f"`{text}` looks like an option and stands where a name belongs.")
    if match := _LATEST.fullmatch(text):
        words = f"`{text}`: the newest version is taken when none is named."
        raise Mistake(words, instead=(match["name"],))
    if match := _TURNED.fullmatch(text):
        _offer(text, f"{match['name']}{match['sign']}={match['version']}", f"={match['sign']}")
    if match := _ONE_EQUALS.fullmatch(text):
        _offer(text, f"{match['name']}=={match['version']}", "=")
    if match := _NO_VERSION.fullmatch(text):
        words, end = f"`{text}` says no version after {match['sign']}.", pointed(text, len(text))
        raise Mistake(words, instead=(match["name"],), context=end)
    if text[0] in "<>=!~":
        raise Mistake(f"`{text}` says no name before {text[0]}.", context=pointed(text, 0))
    if _BLANKS.fullmatch(text):
        first, second, *rest = text.split()
        is_version = not rest and second[0].isdigit()
        joined = f"{first}=={second}" if is_version else "-".join(text.split())
        words, blank = f"`{text}` has a blank in it; a name has none.", pointed(text, len(first))
        raise Mistake(words, instead=(joined,), context=blank)
    for column, character in enumerate(text):
        if character in _QUOTES:
            plain = text.strip(_QUOTES)
            words = f"{character} is a typographic quote, which is no quote here."
            instead = (plain,) if _valid(plain) else None
            raise Mistake(words, instead=instead, context=pointed(text, column))


def _explain_place(text: str, error: Exception | None) -> None:
    """Raise with the place `packaging` stumbled at, and its reason."""
    cause = getattr(error, "__cause__", None)
    span = getattr(cause, "span", None)
    column = span[1] if isinstance(span, tuple) else 0
    reason = str(getattr(cause, "message", "") or error or "").splitlines()
    context = pointed(text, min(column, len(text)))
    if reason and isinstance(error, InvalidRequirement):
        context += f" {reason[0]}"
    better = _STAR.sub(r"\1\2", re.sub(r",(?:\s*,)+", ",", text))
    tries = (better, _TILDE.sub("~=", text), text.rstrip(".,;[( "), f"{text}]")
    instead = next(((each,) for each in tries if _valid(each)), None)
    raise Mistake(f"`{text}` is not a requirement.", instead=instead, context=context)


def _offer(text: str, better: str, sign: str) -> None:
    """Raise with `better` if that is a requirement."""
    if _valid(better):
        right = better.removeprefix(text.split("=")[0].strip())[:2]
        words, place = f"`{text}` has {sign} where {right} belongs.", pointed(text, text.find("="))
        raise Mistake(words, instead=(better,), context=place)


def _valid(text: str) -> bool:
    try:
        Requirement(text)
    except (InvalidRequirement, RecursionError):
        return False
    return True


def _has_marker_start(text: str, shell: re.Match[str]) -> bool:
    """Return whether the `;` found starts what was meant as an environment marker."""
    rest = text[shell.end() :].lstrip(" (")
    begins = ("python_", "os_name", "sys_", "platform_", "implementation_", "extra")
    return shell[0] == ";" and rest.startswith(begins)
