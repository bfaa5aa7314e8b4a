"""Modules that belong to the library of another Python version, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Elsewhere", "elsewhere_in_python"]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A module of the library of another Python."""

    sentence: str
    command: str = ""


_REMOVED: Final = {
    "3.10": "formatter parser symbol",
    "3.11": "binhex",
    "3.12": "asynchat asyncore distutils imp smtpd",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib"
    " ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib",
}
"""From "What's New in Python": the version without it."""

_ADDED: Final = {
    "3.9": "graphlib zoneinfo",
    "3.11": "tomllib",
    "3.14": "annotationlib compression",
}
"""The first version with it."""

_PYTHON_2: Final = {
    "BaseHTTPServer": "http.server",
    "ConfigParser": "configparser",
    "Cookie": "http.cookies",
    "HTMLParser": "html.parser",
    "Queue": "queue",
    "SimpleHTTPServer": "http.server",
    "SocketServer": "socketserver",
    "StringIO": "io",
    "Tkinter": "tkinter",
    "__builtin__": "builtins",
    "cPickle": "pickle",
    "cStringIO": "io",
    "commands": "subprocess",
    "cookielib": "http.cookiejar",
    "dummy_thread": "threading",
    "httplib": "http.client",
    "sets": "builtins",
    "thread": "threading",
    "tkMessageBox": "tkinter.messagebox",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
    "xmlrpclib": "xmlrpc.client",
}

_BACKPORTS: Final = {
    "distutils": "setuptools",
    "tomllib": "tomli",
    "zoneinfo": "backports.zoneinfo",
    "asyncore": "pyasyncore",
    "asynchat": "pyasynchat",
    "audioop": "audioop-lts",
    "cgi": "legacy-cgi",
    "telnetlib": "standard-telnetlib",
    "imghdr": "standard-imghdr",
    "pipes": "standard-pipes",
    "crypt": "legacycrypt",
}
"""Distributions that bring the module, or its like, to another version."""


def elsewhere_in_python(module: str, python: str) -> Elsewhere | None:
    """Return what is to be said about a module of another Python's library, or None."""
    own = _number(python)
    new_name = _PYTHON_2.get(module)
    if new_name is not None:
        return Elsewhere(
            f"{module} is a module of Python 2; Python 3 calls it {new_name}.", f"import {new_name}"
        )
    package = _BACKPORTS.get(module)
    command = f"%safeinstall {package}" if package else ""
    for version, gone in _REMOVED.items():
        if module in gone.split() and own >= _number(version):
            return Elsewhere(
                f"{module} was part of Python until {version} took it out; this kernel runs "
                f"{python}.",
                command,
            )
    for version, came in _ADDED.items():
        if module in came.split() and own < _number(version):
            return Elsewhere(
                f"{module} is part of Python from {version} on; this kernel runs {python}.", command
            )
    return None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
