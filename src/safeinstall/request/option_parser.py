"""Read one option from the words of a line or of a requirements file, and its value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall.probe.shell.option_grammar import CONDA, PIP, UV
from safeinstall.request.corrections import Mistake
from safeinstall.request.cutoff import Cutoff
from safeinstall.request.options import OPTION_NAMES, USUAL_PLACE, Option
from safeinstall.request.requirement import absolute, is_url

DASHES: Final = "‐‑‒–—―−﹘﹣－"
"""Characters that word processors make of `-` and `--`."""

_ELSEWHERE: Final[Mapping[str, str]] = {
    name: f"{name} would install where this kernel does not look."
    for name in ("--target", "-t", "--prefix", "--root")
} | {"--system": "--system would choose another interpreter; the kernel's own is always meant."}


_NAMED_OTHERWISE: Final = {
    "--default-index": "--index-url",
    "--index": "--extra-index-url",
}
"""What uv calls it -> what pip does, and we."""


@dataclass(frozen=True, slots=True)
class OptionWord:
    """One option as found."""

    option: Option
    value: str
    """Its value, or empty for a switch."""
    words: int
    """How many words it took: 1 or 2; 0 if it is one of several in `-Uv`."""


def read_option(words: Sequence[str], index: int) -> tuple[OptionWord, ...]:
    """Return the options at `words[index]`: one, or several for a cluster such as `-Uv`.

    The grammar is the usual one: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, `-ab`.
    Raises `Mistake` for an option that is not ours and for a missing or needless value.
    """
    word = words[index]
    name, equals, value = word.partition("=")
    option = OPTION_NAMES.get(name)
    if option is not None and not (equals and not name.startswith("--")):
        return (_with_value(option, name, value if equals else None, words, index),)
    is_cluster = word[:2] != "--" and len(word) > 2 and not _misspelt(f"-{word}")
    if is_cluster and (cluster := _cluster(word, words, index)):
        return cluster
    after = words[index + 1 : index + 2] if width(words, index) > 1 else ()
    raise _unknown(name, value if equals else None, after)


def width(words: Sequence[str], index: int) -> int:
    """Return how many words the option at `index` and its value take, right or wrong."""
    name = words[index]
    option = OPTION_NAMES.get(name)
    has_value = option.takes_value if option else name in _ELSEWHERE and name != "--system"
    if option is not None and option.kind == "place":
        return _with_place(option, None, words, index).words
    follows = index + 1 < len(words) and not words[index + 1].startswith("-")
    if option is None and follows and "=" not in words[index]:
        has_value = _takes_value_elsewhere(words[index], words[index + 2 :])
    return 2 if has_value and follows else 1


def _takes_value_elsewhere(name: str, rest: Sequence[str]) -> bool:
    """Tell whether pip or uv know the option as one with a value, which is then no requirement.

    What neither knows may have one: it is taken for that where something else is left to install.
    """
    plain = name.lstrip("-")
    names = {plain, PIP.short.get(plain, plain), UV.short.get(plain, plain)}
    left = any(not word.startswith("-") for word in rest)
    if left and CONDA.short.get(plain, plain) in CONDA.values:
        return True
    if names & (PIP.values | UV.values):
        return True
    known = names & (PIP.switches | UV.switches)
    return not known and len(name) > 2 and left


def _cluster(word: str, words: Sequence[str], index: int) -> tuple[OptionWord, ...]:
    """Read `-Uv`, `-rFILE` or `-Ur FILE`; empty if a letter is not ours."""
    found: list[OptionWord] = []
    for position, letter in enumerate(word[1:], start=2):
        option = OPTION_NAMES.get(f"-{letter}")
        if option is None:
            return ()
        if option.takes_value:
            rest = word[position:].removeprefix("=") or None
            found.append(_with_value(option, f"-{letter}", rest, words, index))
            break
        found.append(OptionWord(option, "", 0))
    last = found[-1]
    return (*found[:-1], OptionWord(last.option, last.value, last.words or 1))


def _with_value(
    option: Option, name: str, attached: str | None, words: Sequence[str], index: int
) -> OptionWord:
    """Return the option with the value attached to it or following it."""
    if option.kind == "place":
        return _with_place(option, attached, words, index)
    if not option.takes_value:
        if attached is not None:
            raise Mistake(f"{name} takes no value.", instead=(name,))
        return OptionWord(option, "", 1)
    following = words[index + 1] if index + 1 < len(words) else ""
    value = following if attached is None else attached
    if not value.strip() or value.startswith("-"):
        raise Mistake(f"{name} needs a value.", instead=(name, option.example))
    if not value.isprintable():
        words = f"The value of {name} has an invisible character."
        raise Mistake(words, instead=(name, option.example))
    if option.choices and value not in option.choices:
        *most, last = option.choices
        close = difflib.get_close_matches(value.lower(), option.choices, 1, 0.4) or most
        words = f"{name} knows {', '.join(most)} and {last}, not {value}."
        raise Mistake(words, instead=(name, close[0]))
    return OptionWord(option, value, 1 if attached is not None else 2)


def _with_place(
    option: Option, attached: str | None, words: Sequence[str], index: int
) -> OptionWord:
    """Return the option with the place attached to it, or following it and written as a path.

    A bare word that follows is a requirement: `--new-env pandas` installs pandas.
    """
    if attached is None:
        following = words[index + 1] if index + 1 < len(words) else ""
        given = is_place(following)
        return OptionWord(option, following, 2) if given else OptionWord(option, USUAL_PLACE, 1)
    if not attached.strip():
        name = option.names[0]
        raise Mistake(f"{name}= names no place.", instead=(name,))
    return OptionWord(option, attached, 1)


def is_place(word: str) -> bool:
    """Tell whether a word is written as the path of a folder, not as a requirement or a file."""
    starts = word.startswith((".", "/", "~")) or word[1:3] in (":\\", ":/")
    return starts and not word.endswith((".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2"))


def _misspelt(name: str) -> str:
    """Return the option that `name` was probably meant to be, or empty.

    What others know as an option of theirs is no slip, unless it is all but the same.
    """
    others = name[2:] in PIP.values | PIP.switches | UV.values | CONDA.values
    alike = 0.9 if others else 0.75
    close = difflib.get_close_matches(name.replace("_", "-"), OPTION_NAMES, 1, alike)
    return close[0] if close else ""


def _unknown(name: str, value: str | None, after: Sequence[str] = ()) -> Mistake:
    """Return what to say about an option that is not ours; `after`: the value behind it."""
    if ours := _NAMED_OTHERWISE.get(name):
        words = [f"{ours}={value}"] if value else [ours, *after]
        return Mistake(f"{name} is called {ours} here.", instead=words if value or after else None)
    if name in _ELSEWHERE:
        return Mistake(_ELSEWHERE[name])
    meant = _misspelt(f"-{name}" if name[:2] != "--" and len(name) > 2 else name)
    if not meant:
        starts = [each for each in OPTION_NAMES if len(name) > 3 and each.startswith(name)]
        meant = starts[0] if len(starts) == 1 else ""
    if not meant:
        return Mistake(f"{name} is no option here.")
    instead = meant if value is None or not OPTION_NAMES[meant].takes_value else f"{meant}={value}"
    return Mistake(f"{name} is no option here: did you mean {meant}?", instead=(instead,))


_LONGEST: Final = 86400
_NUMBER: Final = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_HOST: Final = re.compile(r"[\w.-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")
_ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def is_name(value: str) -> bool:
    """Return whether `value` names an environment, which is no path then."""
    return bool(_ENVIRONMENT_NAME.fullmatch(value))


def is_minutes(value: str) -> bool:
    """Return whether `value` is a number of minutes, of a day at most."""
    return bool(_NUMBER.fullmatch(value)) and 0 < float(value) * 60 <= _LONGEST


def kept(field: str, value: str, cwd: str) -> str:
    """Return the value of the option that fills `field`: paths absolute, names canonical."""
    if field == "new_env":
        return _environment_place(value, cwd)
    if field == "allow_builds":
        return _build_name(value)
    if field == "time_limit" and not is_minutes(value):
        words = f"{value} is no number of minutes for --time-limit."
        raise Mistake(words, instead=("--time-limit=60",))
    if field == "import_seconds" and not (value.isdecimal() and 0 < int(value) <= _LONGEST):
        words = f"`{value}` is no number of seconds from 1 to {_LONGEST}."
        raise Mistake(words, instead=("--import-seconds=60",))
    if field == "uploaded_prior_to" and Cutoff.of_pip(value, "").moment is None:
        raise Mistake(f"`{value}` is neither a date nor a number of days such as P7D.")
    if field == "trusted_hosts" and not _HOST.fullmatch(value):
        raise Mistake(f"`{value}` is no host name.")
    if field in ("index_url", "extra_index_urls") and not is_url(value):
        if not Path(absolute(value, cwd)).is_dir():
            raise Mistake(f"`{value}` is neither a URL nor a folder.")
        return absolute(value, cwd)
    if field == "find_links" and not is_url(value):
        return absolute(value, cwd)
    return value


def kept_file(path: str, cwd: str) -> str:
    """Return the absolute path of a requirements or constraint file."""
    if is_url(path):
        raise Mistake(f"{path} is an address: fetch the file first.")
    return absolute(path, cwd)


def _environment_place(value: str, cwd: str) -> str:
    """Return the absolute path a new environment gets, or its name."""
    if is_name(value):
        return value
    if not value.isprintable() or not value.strip():
        raise Mistake(f"`{value}` is no place for an environment.", instead=("--new-env",))
    try:
        return absolute(str(Path(value).expanduser()), cwd)
    except RuntimeError:
        message = f"There is nobody called `{value.partition('/')[0][1:]}` here."
        raise Mistake(message, instead=("--new-env",)) from None


def _build_name(value: str) -> str:
    """Return the canonical name of a package that may be built, or the URL of a nameless one."""
    if "://" in value and not any(map(str.isspace, value)):
        return value
    names = [each for each in re.split(r"[\s,]+", value) if each]
    if not names or not all(_ENVIRONMENT_NAME.fullmatch(each) for each in names):
        raise Mistake(f"`{value}` is no name of a package.")
    if len(names) > 1:
        flags = [word for each in names for word in ("--allow-build", each)]
        raise Mistake("--allow-build takes one name.", instead=flags)
    return canonicalize_name(names[0])
