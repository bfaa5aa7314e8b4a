"""Passwords in URLs stay off every command line: anybody on the machine may read those of others.

Requirements, `--find-links` and `--constraint` with a secret in them go to the installer as lines
of a requirements file on its standard input. git, whose own command line would hold the URL, asks
a helper instead (`credential.<url>.helper`, gitcredentials(7)) that reads variables. pip hands what
its indexes are to a pip of its own, for builds, as arguments (`build_env.py`,
`_install_requirements`): it gets them from a netrc file (`network/auth.py`,
`MultiDomainBasicAuth`), as far as such a file can say them.
"""

from __future__ import annotations

import netrc
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from safeinstall.frontend import credentials
from safeinstall.runner import Command

_URL: Final = re.compile(r"(?:git\+)?https?://\S+")
_WITH_VALUE: Final = frozenset({"--find-links", "--constraint", "--editable", "--requirement"})
_INDEXES: Final = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
_HELPER: Final = (
    '!f() {{ printf "username=%s\\npassword=%s\\n" "$SAFEINSTALL_USER_{0}" '
    '"$SAFEINSTALL_PASSWORD_{0}"; }}; f'
)
"""git starts it through `sh`; the words of the command hold no secret."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Who may read at a place."""

    base: str
    """Scheme and host, with its port."""
    user: str
    password: str

    @property
    def host(self) -> str:
        """The host alone: netrc knows no ports."""
        return self.base.partition("//")[2].partition(":")[0]

    def is_same(self, other: Credential) -> bool:
        """Tell whether both are the same user, wherever they read."""
        return (self.user, self.password) == (other.user, other.password)

    def netrc_line(self, version: str) -> str:
        """Return the entry, empty where a Python of that version cannot read it (`netrc.py`)."""
        quotes = tuple(map(int, version.split(".")[:2])) >= (3, 11)  # and escapes
        words = [self.user, self.password]
        if not all(words) or (not quotes and any(re.search(r"\s", word) for word in words)):
            return ""
        if quotes:
            words = ['"' + re.sub(r'(["\\])', r"\\\1", word) + '"' for word in words]
        return f"machine {self.host} login {words[0]} password {words[1]}\n"


def off_the_command_line(command: Command, stdin: str) -> Command:
    """Return the command with nothing secret in its words; `stdin`: what it calls its input."""
    found: dict[str, Credential] = {}

    def take(match: re.Match[str]) -> str:
        bare, credential = _without(match[0])
        if credential is None or not match[0].startswith("git+"):
            return match[0]
        found[credential.base] = credential
        return bare

    words = [_URL.sub(take, word) for word in command.argv]
    kept, lines = _parted(words)
    if not found and not lines:
        return command
    if lines and not command.lock:  # a lock names its files itself
        kept += [] if stdin in kept else ["--requirement", stdin]
        command = replace(command, stdin="".join(f"{line}\n" for line in lines) + command.stdin)
    overrides = {**command.overrides, **_of_git(list(found.values()))}
    return replace(command, argv=tuple(kept), overrides=overrides)


def by_netrc(command: Command, version: str) -> Command:
    """Return pip's command with what a netrc file can say said there, to a Python of `version`."""
    found: dict[str, Credential] = {}
    names = (name for name in _INDEXES if command.overrides.get(name))
    known = {name: str(command.overrides[name]) for name in names}
    texts = (*command.argv, *known.values(), command.stdin)
    for match in (each for text in texts for each in _URL.finditer(text)):
        _, credential = _without(match[0])
        if credential is None or match[0].startswith("git+") or not credential.netrc_line(version):
            continue
        if not credential.is_same(found.setdefault(credential.host, credential)):
            return command  # two for one host: netrc has one
    if not found:
        return command

    def take(match: re.Match[str]) -> str:
        bare, credential = _without(match[0])
        said = found.get(credential.host) if credential else None
        return bare if credential and said and credential.is_same(said) else match[0]

    return replace(
        command,
        argv=tuple(_URL.sub(take, word) for word in command.argv),
        stdin=_URL.sub(take, command.stdin),
        overrides={**command.overrides, **{n: _URL.sub(take, text) for n, text in known.items()}},
        netrc=_own_netrc() + "".join(each.netrc_line(version) for each in found.values()),
    )


def _parted(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the words without what is secret, and that as lines of a requirements file."""
    kept: list[str] = []
    lines: list[str] = []
    before = ""
    for word in words:
        if not credentials(word):
            kept.append(word)
        elif before in _WITH_VALUE:
            lines.append(f"{kept.pop()} {word}")
        else:
            lines.append(word)
        before = word
    return kept, lines


def _without(url: str) -> tuple[str, Credential | None]:
    """Return a URL without user and password, and these."""
    try:
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        return url, None
    if not user and not password:
        return url, None
    host = parts.netloc.rpartition("@")[2]
    base = f"{parts.scheme.removeprefix('git+')}://{host}"
    return parts._replace(netloc=host).geturl(), Credential(base, user, password)


def _of_git(found: list[Credential]) -> Mapping[str, str]:
    """Return the variables that tell git whom to ask (git-config(1): GIT_CONFIG_COUNT, 2.31)."""
    variables: dict[str, str] = {}
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    for number, each in enumerate(found):
        for at, value in enumerate(("", _HELPER.format(number))):  # an empty one: nobody else
            place = first + 2 * number + at
            variables[f"GIT_CONFIG_KEY_{place}"] = f"credential.{each.base}.helper"
            variables[f"GIT_CONFIG_VALUE_{place}"] = value
        variables[f"SAFEINSTALL_USER_{number}"] = each.user
        variables[f"SAFEINSTALL_PASSWORD_{number}"] = each.password
    return variables | {"GIT_CONFIG_COUNT": str(first + 2 * len(found))} if found else variables


def _own_netrc() -> str:
    """Return what the user's own file says: ours is read in its place."""
    names = (os.environ.get("NETRC"), "~/.netrc", "~/_netrc")
    for path in (Path(name).expanduser() for name in names if name):
        try:
            netrc.netrc(path)
            return path.read_text("utf-8") + "\n"
        except (OSError, ValueError, netrc.NetrcParseError):
            continue
    return ""
