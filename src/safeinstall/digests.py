"""Hashes of files as RECORD writes them (PEP 376, PEP 427)."""

from __future__ import annotations

import base64
import hashlib
import os

__all__ = ["digest"]

_CHUNK = 1 << 20


def digest(path: str, algorithm: str) -> str:
    """Return the hash of a file in URL-safe base 64 without padding.

    Raises OSError, and ValueError for an algorithm that this Python does not know or that has no
    length of its own.
    """
    known = algorithm in hashlib.algorithms_guaranteed
    state = getattr(hashlib, algorithm)() if known else hashlib.new(algorithm)
    if not state.digest_size:
        raise ValueError(f"{algorithm} has no length of its own")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:  # thousands of small files: a file object each would cost as much as the hashing
        while chunk := os.read(descriptor, _CHUNK):
            state.update(chunk)
    finally:
        os.close(descriptor)
    return base64.urlsafe_b64encode(state.digest()).rstrip(b"=").decode("ascii")
