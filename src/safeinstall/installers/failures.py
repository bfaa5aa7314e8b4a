"""An installer's failure in one sentence: what it was, in words a tired person can act on.

The patterns were collected by provoking each failure with uv 0.13 and pip 26; an unknown text falls
back to the installer's own first line of error.
"""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.frontend import redact
from safeinstall.installers.sources import Sources
from safeinstall.request import InstallRequest, RequestItem

_CAUSE: Final = re.compile(r"^(?:[A-Za-z_.]*(?:Error|Exception|Exit): |fatal(?: error)?: )")

_PASSED_OVER: Final = re.compile(r"none of the wheel's tags [^\n]*compatible[^\n]*?: (\S+\.whl)")
_NO_MATCH: Final = re.compile(r"No matching distribution found for ([\w.-]+)")


_Say = Callable[[re.Match[str], InstallRequest, Environment], str]


def _host(text: str) -> str:
    return redact(text.strip().strip("`'\""))


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]


_REASONS: Final[tuple[tuple[str, str, _Say], ...]] = (
    (
        "no-space",
        r"No space left on device|os error 28|Errno 28|File too large|os error 27|Errno 27|"
        r"Disk quota exceeded|os error 122",
        lambda m, r, e: "The disk is full: there is no room to unpack the packages.",
    ),
    (
        "index-refused",
        r"index(?: URL)? \((?P<url>[^)]+)\) (?:could not be queried|returned a 40[13])|"
        r"40[13] (?:Client )?Error[^\n]{0,80}? for (?:url: )?(?P<pip>\S+)|"
        r"Failed to fetch: `?(?P<uv>[^\s`]+)`?[^`]{0,200}?client error \(40[13]",
        lambda m, r, e: (
            f"The package index {_host(m['url'] or m['pip'] or m['uv'])} "
            "wants other credentials than it was given."
        ),
    ),
    (
        "index-error",
        r"Relative paths passed to `--(?:default-)?index`[^`]*`--default-index`[^`]*"
        r"`\./(?P<uv>[^`]*://[^`]*)`|"
        r"Location '(?P<pip>[^']*://[^']*)' is ignored: it is either a non-existing path",
        lambda m, r, e: f"{_host(m['uv'] or m['pip'])} is no address that an index can have.",
    ),
    (
        "index-untrusted",
        r"repository located at (?P<host>\S+) is not a trusted or secure host and is being ignored",
        lambda m, r, e: (
            f"pip asks no index by plain http: {_host(m['host'])} is not among its trusted hosts."
        ),
    ),
    (
        "index-error",
        r"Could not fetch URL (?P<url>\S+): (?!404|40[13])"
        r"(?:\d{3} (?:Client|Server) Error|[^\n]*too many \d+ error responses)",
        lambda m, r, e: f"The package index answered {_host(m['url'])} with an error.",
    ),
    (
        "cut-off",
        r"Index (?P<url>\S+) does not provide upload-time metadata",
        lambda m, r, e: f"{_host(m['url'])} does not say when its files were uploaded.",
    ),
    (
        "repository-unreachable",
        r"fatal: unable to access '(?P<url>[^']+)'",
        lambda m, r, e: f"{_host(m['url'])} cannot be reached from here.",
    ),
    (
        "repository-unreachable",
        r"(?:git fetch|git clone)[^\n]*?'(?P<url>[a-z+]*ssh://[^']+)'(?=.*"
        r"(?:^\s*ssh: |Permission denied|Host key verification failed|Could not read from remote))|"
        r"ssh: connect to host (?P<host>\S+) port|Could not resolve hostname (?P<name>[^:\s]+)",
        lambda m, r, e: (
            f"{_host(m['url'] or m['host'] or m['name'])} cannot be reached from here by ssh."
        ),
    ),
    (
        "repository-missing",
        r"fatal: '(?P<place>[^']+)' does not appear to be a git repository|"
        r"fatal: repository '(?P<url>[^']+)' (?:not found|does not exist)",
        lambda m, r, e: f"There is no repository at {_host(m['place'] or m['url'])}.",
    ),
    (
        "index-untrusted",
        r"Failed to fetch: `?(?P<uv>\w+://[^\s/`]+)[^`]{0,600}?invalid peer certificate|"
        r"Could not fetch URL (?P<pip>\w+://[^\s/]+)[^\n]*?CERTIFICATE_VERIFY_FAILED",
        lambda m, r, e: (
            f"The certificate of {_host(m['uv'] or m['pip'])} is not trusted here: "
            "PIP_CERT names the file of those that are."
        ),
    ),
    (
        "index-unreachable",
        r"(?:Failed to fetch:?|Failed to download|fetch `)\s*`?(?:[^\s`]+ @ )?"
        r"(?P<url>[^\s`]+://[^\s`]+)`?.*?"
        r"(?:client error \(Connect\)|dns error|tcp connect|timed out|error sending request|"
        r"connection (?:reset|closed)|operation timed out)",
        lambda m, r, e: f"{_host(m['url'])} cannot be reached from here.",
    ),
    (
        "index-unreachable",
        r"Could not fetch URL (?P<url>\S+): (?:connection error|There was a problem|timed out)",
        lambda m, r, e: f"{_host(m['url'])} cannot be reached from here.",
    ),
    (
        "index-unreachable",
        r"(?:Failed to establish a new connection|Connection refused|NewConnectionError|"
        r"Name or service not known|Temporary failure in name resolution|ConnectTimeout|"
        r"ReadTimeoutError|Could not resolve host|Network is unreachable)",
        lambda m, r, e: "The package index cannot be reached from here.",
    ),
    (
        "index-error",
        r"Failed to fetch: (?P<url>\S+).*?HTTP status (?:server|client) error \([^)]+\)",
        lambda m, r, e: f"The package index answered {_host(m['url'])} with an error.",
    ),
    (
        "not-offline",
        r"network was disabled|Network connectivity is disabled",
        lambda m, r, e: "The package is not in the cache, and the network is switched off.",
    ),
    (
        "hash-mismatch",
        r"Hash mismatch|THESE PACKAGES DO NOT MATCH THE HASHES",
        lambda m, r, e: "A downloaded file does not have the hash that was asked for.",
    ),
    (
        "escapes-prefix",
        r"Unexpected file in (?P<wheel>\S+): '(?P<file>[^']+)'\. \.data directory contents should",
        lambda m, r, e: f"{_base(m['wheel'])} holds {m['file']}, which leads out of it.",
    ),
    (
        "escapes-prefix",
        r"The wheel '(?P<wheel>[^']+)'\s+has\s+a\s+file\s+'(?P<file>[^']+)'\s+"
        r"trying to install outside",
        lambda m, r, e: (
            f"{_base(m['wheel'])} would put {_base(m['file'])} outside the environment."
        ),
    ),
    (
        "damaged-package",
        r"(?:zlib\.error|BadZipFile|Bad CRC-32|Bad magic number|due to an OSError: RECORD\b)"
        r"(?:(?=.*?Installing collected packages: (?P<names>[^\n]+)))?",
        lambda m, r, e: (
            f"A wheel is damaged and cannot be unpacked: {m['names'] or r.items[0].text}."
        ),
    ),
    (
        "damaged-package",
        r"invalid package format.*The structure of `(?P<name>[^`]+)` \(v(?P<version>[^)]+)\)",
        lambda m, r, e: (
            f"The wheel of {m['name']} {m['version']} cannot be read: it is damaged, or its "
            "download was cut off."
        ),
    ),
    (
        "incomplete-download",
        r"incomplete-download|IncompleteRead|not enough bytes were received",
        lambda m, r, e: "The connection was cut before a download had ended.",
    ),
    (
        "wrong-platform",
        r"(?<![\w.\-])(?P<name>[\w.\-]+?)(?:==\S+)? has no wheels with a matching|"
        r"is incompatible with the current platform|"
        r"Package `(?P<locked>[^`]+)` can't be installed because|"
        r"No wheel found matching the provided tags for package '(?P<pip>[^']+)'|"
        r"(?P<wheel>\S+\.whl) is not a supported wheel",
        lambda m, r, e: _other_platform(
            m["name"] or m["locked"] or m["pip"] or m["wheel"] or r.items[0].text, e
        ),
    ),
    (
        "python-too-old",
        r"(?:(?<![\w.\-])'?(?P<name>[\w.\-]+?)'?(?:==(?P<version>[^\s,]+))? requires "
        r"(?:a different )?Python"
        r"(?:: [\d.]+ not in)? ?'?(?P<wanted>[<>=!~][^\s'\"]*)|current Python version)",
        lambda m, r, e: (
            f"{m['name'] or 'The package'} needs Python {m['wanted'] or 'of another version'}, "
            f"and this kernel runs {e.version}."
        ),
    ),
    (
        "build-failed",
        r"Failed to (?:download and )?build:? [`']?(?P<name>[^`'\n]+?)[`'](?=[\s]|$)|"
        r"subprocess-exited-with-error|Failed building wheel|metadata-generation-failed|"
        r"build backend returned an error|Failed to build",
        lambda m, r, e: (
            f"{m['name'] or 'The package'} has no ready-made wheel for this Python, "
            "and building it from source failed."
        ),
    ),
    (
        "file-missing",
        r"Distribution not found at: (?P<path>\S+)|"
        r"Failed to read `--find-links` (?:directory|URL): (?P<links>.+?)(?:\n|$)",
        lambda m, r, e: (
            f"There is nothing at {_host((m['path'] or m['links'] or '').removeprefix('file://'))}."
        ),
    ),
    (
        "no-such-version",
        r"no version of (?P<uv>[\w.\-]+(?:\[[^\]]*\])?[<>=!~][^\s,]*)|"
        r"only (?P<only>[\w.\-]+(?:[<>=!~]+\S+)?) (?:is|are) available and you require "
        r"(?P<wanted>\S+?),|"
        r"requirement (?P<pip>\S+) \(from versions: (?P<versions>(?!none\))[^)]*)\)",
        lambda m, r, e: f"There is no {m['uv'] or m['wanted'] or m['pip']}.",
    ),
    (
        "not-found",
        r"Because (?P<uv>[\w.\-]+) was not found in|"
        r"requirement (?P<pip>[\w.\-]+)\S* \(from versions: none\)|"
        r"No matching distribution found for (?P<other>[\w.\-]+)",
        lambda m, r, e: _not_found(m["uv"] or m["pip"] or m["other"], r),
    ),
    (
        "conflict",
        r"(?P<name>[\w.-]+)(?:==[^\s,]+)? ha(?:s|ve) no source distribution",
        lambda m, r, e: (
            f"{m['name']} has no source archive, and its wheels are not allowed (no-binary)."
        ),
    ),
    (
        "conflict",
        r"requirements are unsatisfiable|ResolutionImpossible|conflicting dependencies|"
        r"which are incompatible",
        lambda m, r, e: "These requirements cannot be met together.",
    ),
)


def explain(
    installer: str, output: str, request: InstallRequest, environment: Environment, sources: Sources
) -> InstallerError:
    """Return the failure that `output` (the installer's standard error and output) describes.

    Nothing secret is left in the message or the context.
    """
    text = redact(_within_reason(output), sources.secrets)
    if reason := next(filter(None, map(_why_no_archive, request.items)), ""):
        return InstallerError(reason, code="damaged-package")
    for code, pattern, say in _REASONS:
        if found := re.search(pattern, text, re.S | re.I):
            message = say(found, request, environment)
            wheel = _skipped(text) if code == "not-found" else ""
            if wheel:
                code, message = "wrong-platform", _other_platform(wheel, environment)
            if code == "not-found" and sources.no_index:
                message += " The indexes are switched off (--no-index)."
            break
    else:
        code, message = "installer-failed", f"{installer} stopped: {_first_error(text)}"
    if code in _OF_A_PLACE and (place := _constraints(text, sources)):
        code, message = "constraints-unreadable", f"The constraints in {place} cannot be read."
    context = _tail(text)
    if code == "build-failed":
        context = "\n".join(filter(None, (_cause_of_build(text), context)))
    return InstallerError(message, code=code, context=context)


_LONGEST_LINE: Final = 2000
_FIRST_LINES: Final = 200
_LAST_LINES: Final = 400


def _within_reason(output: str) -> str:
    """Return so much of the output that reading it takes no time: its beginning and its end."""
    lines = [line[:_LONGEST_LINE] for line in output.splitlines()]
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines = [*lines[:_FIRST_LINES], *lines[-_LAST_LINES:]]
    return "\n".join(lines)


_PROJECT_FILE: Final = re.compile(r"(?:\./)?(?:[^/]+/)?(?:pyproject\.toml|setup\.py)")


def _why_no_archive(item: RequestItem) -> str:
    """Return why nothing can be installed from a file that was named, empty for a good one."""
    path = Path(re.split(r"[\[#]", item.text)[0])
    if "file://" in item.text:
        path = Path(unquote(urlsplit(item.text[item.text.index("file://") :]).path))
    if item.kind not in ("wheel", "archive") or not path.is_file():
        return ""
    what = "wheel" if item.kind == "wheel" else "archive"
    try:
        if path.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        else:
            with tarfile.open(path) as opened:
                names = opened.getnames()
    except PermissionError:
        return ""
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError):
        return f"{path.name} is no {what}: it is damaged, or was never one."
    if what == "archive" and not any(map(_PROJECT_FILE.fullmatch, names)):
        return f"{path.name} holds no project: no pyproject.toml and no setup.py."
    return ""


_OF_A_PLACE: Final = frozenset(
    {"index-refused", "index-unreachable", "index-untrusted", "index-error", "installer-failed"}
)
"""Codes of what may be about a file of constraints as well."""


def _constraints(text: str, sources: Sources) -> str:
    """Return the file of constraints that the text is about, and who named it.

    uv shows a path as seen from where one is; a talkative pip says of which file a constraint is.
    """
    for path, origin in sources.origins:
        shown = redact(path, sources.secrets)
        whole, base = re.escape(shown), re.escape(_base(shown))
        page = re.escape(urlsplit(shown).path) if "://" in shown else whole
        ways = rf"(?<!-c ){whole}|with url: {page} |`{base}`|File not found: {base}$"
        if re.search(ways, text, re.M):
            return f"{shown} ({origin})"
    return ""


def _cause_of_build(text: str) -> str:
    """Return the line that says why: the build's last that looks like an error, else uv's last."""
    lines = [line.strip() for line in reversed(text.splitlines())]
    deepest = next((line for line in lines if line.startswith("cause: ")), "")
    return next(filter(_CAUSE.match, lines), deepest)


def _skipped(text: str) -> str:
    """Return the wheel that a talkative pip passed over, of the package it then did not find."""
    missing = {canonicalize_name(name) for name in _NO_MATCH.findall(text)}
    wheels = [unquote(urlsplit(link).path) for link in _PASSED_OVER.findall(text)]
    own = (w for w in wheels if canonicalize_name(_base(w).split("-")[0]) in missing)
    return next(own, "")


def _other_platform(what: str, environment: Environment) -> str:
    kernel = f"{environment.implementation} {environment.python}"
    return f"{_base(what)} is made for another platform or Python than this kernel's ({kernel})."


def _not_found(name: str, request: InstallRequest) -> str:
    asked = {item.name for item in request.items}
    if name in asked or name.lower() in asked:
        return f"There is no package called {name} where this installer looks."
    items = [item for item in request.items if item.name != "ipykernel"] or request.items
    wanting = " ".join(str(item.name or item.text) for item in items[:3])
    return (
        f"{wanting} needs {name}, and there is no package of that name where the installer looks."
    )


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    line = (errors or lines or ["it gave no reason."])[0]
    return re.sub(r"^error:\s*", "", line, flags=re.I)


_COMMENTARY: Final = (
    *("Using Python", "Using CPython", "Resolved ", "   Building ", "note: This"),
    *("warning: `VIRTUAL_ENV", "warning: The `--pylock` option is experimental"),
)


def _tail(text: str) -> str:
    """Return the installer's own words without its running commentary."""
    text = re.sub(r"^(?:ERROR: Exception:\n)?Traceback .*\n(?:[ \t].*\n)*", "", text, flags=re.M)
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line.strip() and not line.startswith(_COMMENTARY))
