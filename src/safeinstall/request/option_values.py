"""The values of options, in the form a `Request` keeps them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from .location import absolute, is_url
from .mistake import Mistake

__all__ = ["is_name", "kept", "kept_file"]

_HOST: Final = re.compile(r"[\w.-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def is_name(value: str) -> bool:
    """Return whether `value` names an environment, which is no path then."""
    return bool(_NAME.fullmatch(value))


def kept(field: str, value: str, cwd: str) -> str:
    """Return the value of the option that fills `field`: paths absolute, names canonical."""
    if field == "new_env":
        return _place(value, cwd)
    if field == "allow_builds":
        return _build_name(value)
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


def _place(value: str, cwd: str) -> str:
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
    names = [each for each in re.split(r"[\s,]+", value) if each]
    if not names or not all(_NAME.fullmatch(each) for each in names):
        raise Mistake(f"`{value}` is no name of a package.")
    if len(names) > 1:
        flags = [word for each in names for word in ("--allow-build", each)]
        raise Mistake("--allow-build takes one name.", instead=flags)
    return canonicalize_name(names[0])
