"""A company's own certificate authority, and a server certified by it: what no browser knows."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

__all__ = ["PROGRAM", "authority"]

PROGRAM = shutil.which("openssl")
"""What makes certificates, or None where it is not to be had."""


def authority(folder: Path) -> ssl.SSLContext:
    """Write `company.pem` and a folder `trusted` of it; return what serves 127.0.0.1 by it."""
    folder.mkdir(parents=True)
    days = ("-days", "2", "-newkey", "rsa:2048", "-nodes")
    _openssl(folder, "req", "-x509", *days, "-subj", "/CN=Company", "-keyout", "company.key",
             "-out", "company.pem", "-addext", "keyUsage=keyCertSign")  # fmt: skip
    _openssl(folder, "req", *days[2:], "-subj", "/CN=index", "-keyout", "own.key", "-out", "asked")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    signer = ("-CA", "company.pem", "-CAkey", "company.key", "-CAcreateserial")
    _openssl(folder, "x509", "-req", "-in", "asked", *signer, *days[:2], "-extfile", "names",
             "-out", "own.pem")  # fmt: skip
    (folder / "trusted").mkdir()
    number = _openssl(folder, "x509", "-hash", "-noout", "-in", "company.pem").strip()
    shutil.copy(folder / "company.pem", folder / "trusted" / f"{number}.0")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    return context


def _openssl(folder: Path, *words: str) -> str:
    done = subprocess.run([str(PROGRAM), *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
