"""The words of an install command sorted into options and requirements, as the installer would.

pip reads its line with ``optparse`` (long options may be shortened as long as they are unique), uv
with clap. The tables name what takes a value; whatever else starts with a dash is a switch.
"""

from __future__ import annotations

from typing import Sequence


class Grammar:
    """Which options of a program take a value, and what their short names stand for."""

    def __init__(self, values: str, short: str, switches: str = "") -> None:
        """Take blank-separated names (*short*: ``t=target``); with *switches* no others count."""
        self.values = frozenset(values.split())
        self.switches = frozenset(switches.split())
        self.short = dict(pair.split("=") for pair in short.split())
        self.strict = bool(switches)


class Line:
    """What a command line says: subcommand, options with values, and the rest."""

    def __init__(self) -> None:
        """Start empty; ``problem`` is a sentence where the program would refuse the line."""
        self.options: list[tuple[str, str]] = []
        self.positional: list[str] = []
        self.problem = ""
        self.typed: list[str] = []

    def has(self, name: str) -> bool:
        """Tell whether the option was given."""
        return any(key == name for key, _ in self.options)

    def last(self, name: str) -> str | None:
        """Return the value given last, or None."""
        values = self.all(name)
        return values[-1] if values else None

    def all(self, name: str) -> list[str]:
        """Return every value of an option that may be repeated."""
        return [value for key, value in self.options if key == name]


_ALIASES = {
    "no-dependencies": "no-deps",
    "require-venv": "require-virtualenv",
    "pypi-url": "index-url",
    "requirements": "requirement",
    "constraints": "constraint",
    "config-setting": "config-settings",
}

PIP = Grammar(
    "requirement constraint build-constraint requirements-from-script editable target platform"
    " python-version implementation abi root prefix src source source-dir source-directory"
    " upgrade-strategy config-settings config-setting global-option install-option progress-bar"
    " root-user-action report group all-releases only-final no-binary only-binary index-url"
    " pypi-url extra-index-url refresh-package find-links uploaded-prior-to python log log-file"
    " local-log keyring-provider proxy retries timeout default-timeout exists-action trusted-host"
    " cert client-cert cache-dir use-feature use-deprecated resume-retries build build-dir"
    " build-directory dest destination-dir destination-directory",
    "r=requirement c=constraint e=editable t=target C=config-settings i=index-url f=find-links"
    " b=build d=dest U=upgrade I=ignore-installed h=help v=verbose q=quiet V=version",
    "no-deps no-dependencies only-deps only-dependencies dry-run user no-user upgrade"
    " force-reinstall ignore-installed ignore-requires-python no-build-isolation use-pep517"
    " no-use-pep517 check-build-dependencies break-system-packages compile no-compile"
    " no-warn-script-location no-warn-conflicts require-hashes no-require-hashes no-clean pre"
    " prefer-binary no-index help debug isolated require-virtualenv require-venv verbose quiet"
    " no-input no-proxy-env no-cache-dir disable-pip-version-check no-color version"
    " no-python-version-warning egg process-dependency-links no-download",
)

PIP_BOOLEANS = PIP.switches - {"no-cache-dir", "help", "version"}
"""Options whose variable must be a truth value, or pip stops with exit code 2."""

UV = Grammar(
    "requirement requirements editable constraint constraints override overrides excludes"
    " build-constraint build-constraints extra group target prefix no-binary only-binary"
    " python-version python-platform output-format torch-backend index default-index index-url"
    " extra-index-url find-links index-strategy keyring-provider upgrade-package upgrade-group"
    " resolution prerelease prerelease-package fork-strategy exclude-newer exclude-newer-package"
    " no-sources-package reinstall-package link-mode config-setting config-settings"
    " config-settings-package no-build-isolation-package cache-dir refresh-package python color"
    " allow-insecure-host directory project config-file cert package optional script tag branch"
    " rev bounds marker",
    "r=requirement e=editable c=constraint b=build-constraint t=target i=index-url"
    " f=find-links U=upgrade P=upgrade-package C=config-setting n=no-cache p=python q=quiet"
    " v=verbose h=help",
)

CONDA = Grammar(
    "name prefix channel file solver revision repodata-fn experimental override-channels-file"
    " environment-specifier",
    "n=name p=prefix c=channel f=file y=yes q=quiet h=help",
)

OTHER = Grammar(
    "group python source extras platform feature manifest-path directory project lock index"
    " pip-args suffix spec target-release option config-file requirements editable install-dir"
    " prefix root record find-links index-url build-directory install-lib extra",
    "G=group E=extras p=python t=target-release o=option r=requirements e=editable i=index-url"
    " P=directory C=directory d=install-dir f=find-links s=simulate h=help",
)
"""What apt, brew, pipx, poetry, pdm, pipenv, pixi, easy_install and setup.py have in common."""


def read_line(words: Sequence[str], grammar: Grammar) -> Line:
    """Sort *words* (without the program) by *grammar*; what is refused is named in ``problem``."""
    line = Line()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            line.positional += rest
            break
        if not word.startswith("-") or word == "-":
            line.positional.append(word)
            continue
        line.typed.append(word)
        if word.startswith("--"):
            _read_long(word, rest, grammar, line)
        else:
            _read_short(word, rest, grammar, line)
    return line


def _take(name: str, rest: list[str], line: Line, typed: str) -> None:
    if not rest:
        line.problem = line.problem or "%s needs a value" % typed
        return
    line.typed.append(rest[0])
    line.options.append((_ALIASES.get(name, name), rest.pop(0)))


def _read_long(word: str, rest: list[str], grammar: Grammar, line: Line) -> None:
    name, equals, value = word[2:].partition("=")
    known = grammar.values | grammar.switches
    if name not in known and grammar.strict:
        # optparse accepts the start of a long option; aliases of one option count as one
        matches = {_ALIASES.get(full, full) for full in known if full.startswith(name)}
        if len(matches) != 1:
            line.problem = line.problem or "no such option: --%s" % name
            return
        name = matches.pop()
    if equals:
        line.options.append((_ALIASES.get(name, name), value))
    elif name in grammar.values:
        _take(name, rest, line, word)
    else:
        line.options.append((_ALIASES.get(name, name), ""))


def _read_short(word: str, rest: list[str], grammar: Grammar, line: Line) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        if not (name := grammar.short.get(letter, "")) and grammar.strict:
            line.problem = line.problem or "no such option: -%s" % letter
            return
        if name in grammar.values:
            if letters:
                line.options.append((_ALIASES.get(name, name), letters.lstrip("=")))
            else:
                _take(name, rest, line, word)
            return
        line.options.append((name or letter, ""))
