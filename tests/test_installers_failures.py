"""Failures in one sentence. The texts were printed by uv 0.13 and pip 26 when provoked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from safeinstall.errors import InstallerError
from safeinstall.installers.failures import explain
from safeinstall.installers.sources import Sources
from safeinstall.request import parse
from support.reports import environment

UNSAT = ", we can conclude that your requirements are unsatisfiable."
CASES = {
    "name-uv": (
        "zzz",
        f"error: No solution found\n  cause: Because zzz was not found in the package registry "
        f"and you require zzz{UNSAT}",
        "not-found",
        "There is no package called zzz",
    ),
    "name-pip": (
        "zzz",
        "ERROR: Could not find a version that satisfies the requirement zzz (from versions: none)\n"
        "ERROR: No matching distribution found for zzz",
        "not-found",
        "There is no package called zzz",
    ),
    "dependency": (
        "aa",
        "  cause: Because nothere was not found in the provided package locations and all versions "
        f"of aa depend on nothere{UNSAT}",
        "not-found",
        "aa needs nothere",
    ),
    "version-uv": (
        "aa==3",
        f"  cause: Because there is no version of aa==3 and you require aa==3{UNSAT}",
        "no-such-version",
        "There is no aa==3.",
    ),
    "version-pip": (
        "aa==3",
        "ERROR: Could not find a version that satisfies the requirement aa==3 (from versions: 1.0, "
        "2.0)\nERROR: No matching distribution found for aa==3",
        "no-such-version",
        "There is no aa==3.",
    ),
    "platform-uv": (
        "winonly",
        "  cause: Because winonly==1.0 has no wheels with a matching platform tag (e.g., "
        f"`manylinux`) and only winonly==1.0 is available{UNSAT}",
        "wrong-platform",
        "winonly is made for another platform",
    ),
    "platform-uv-file": (
        "https://host.invalid/winonly-1.0-cp312-cp312-win_amd64.whl",
        "error: Failed to determine installation plan\n  cause: A path (w.whl) dependency is "
        "incompatible with the current platform",
        "wrong-platform",
        "winonly-1.0-cp312-cp312-win_amd64.whl is made for another platform",
    ),
    "platform-pip": (
        "win-only",
        "  Skipping link: none of the wheel's tags (cp312-cp312-win_amd64) are compatible (run pip "
        "debug --verbose to show compatible tags): http://h/win_only-1.0-cp312-cp312-win_amd64.whl\n"
        "ERROR: Could not find a version that satisfies the requirement win-only (from versions: "
        "none)\nERROR: No matching distribution found for win-only",
        "wrong-platform",
        "win_only-1.0-cp312-cp312-win_amd64.whl is made for another platform",
    ),
    "platform-pip-of-another": (
        "zzz",
        "  Skipping link: none of the wheel's tags (cp312-cp312-win_amd64) are compatible (run pip "
        "debug --verbose to show compatible tags): http://h/win_only-1.0-cp312-cp312-win_amd64.whl\n"
        "ERROR: Could not find a version that satisfies the requirement zzz (from versions: none)",
        "not-found",
        "There is no package called zzz",
    ),
    "python-uv": (
        "newpy",
        "  cause: Because newpy==1.0 requires Python >=3.99 and only newpy==1.0 is available"
        f"{UNSAT}",
        "python-too-old",
        "newpy needs Python >=3.99, and this kernel runs 3.12.1",
    ),
    "python-pip": (
        "newpy",
        "ERROR: Package 'newpy' requires a different Python: 3.12.1 not in '>=3.99'",
        "python-too-old",
        "newpy needs Python >=3.99",
    ),
    "refused-uv": (
        "zzz",
        f"  cause: Because zzz was not found in the package registry and you require zzz{UNSAT}\n\n"
        "hint: An index URL (http://127.0.0.1:1/simple) could not be queried due to a lack of "
        "valid authentication credentials (401 Unauthorized)",
        "index-refused",
        "http://127.0.0.1:1/simple wants other credentials",
    ),
    "forbidden-uv-index": (
        "zzz",
        f"  cause: Because zzz was not found in the package registry and you require zzz{UNSAT}\n\n"
        "hint: An index (http://127.0.0.1:1/simple) returned a 403 Forbidden error. Check that the "
        "index URL is correct and the credentials are valid.",
        "index-refused",
        "http://127.0.0.1:1/simple wants other credentials",
    ),
    "refused-pip": (
        "zzz",
        "WARNING: 401 Error, Credentials not correct for http://127.0.0.1:1/simple/zzz/\n"
        "ERROR: No matching distribution found for zzz",
        "index-refused",
        "http://127.0.0.1:1/simple/zzz/ wants other credentials",
    ),
    "unreachable-uv": (
        "zzz",
        "error: Request failed after 3 retries in 10.5s\n  cause: Failed to fetch: "
        "http://127.0.0.1:9/simple/six/\n  cause: error sending request for url (http://x)\n"
        "  cause: client error (Connect)\n  cause: tcp connect error",
        "index-unreachable",
        "http://127.0.0.1:9/simple/six/ cannot be reached",
    ),
    "unreachable-uv-file": (
        "https://127.0.0.1:9/x-1.0-py3-none-any.whl",
        "error: Failed to download `x @ https://127.0.0.1:9/x-1.0-py3-none-any.whl`\n  cause: "
        "Failed to fetch: https://127.0.0.1:9/x-1.0-py3-none-any.whl\n"
        "  cause: client error (Connect)",
        "index-unreachable",
        "https://127.0.0.1:9/x-1.0-py3-none-any.whl cannot be reached",
    ),
    "unreachable-uv-source": (
        "x @ https://127.0.0.1:9/x-1.0.tar.gz",
        "error: Failed to download and build `x @ https://127.0.0.1:9/x-1.0.tar.gz`\n  cause: "
        "Failed to fetch: https://127.0.0.1:9/x-1.0.tar.gz\n  cause: client error (Connect)",
        "index-unreachable",
        "https://127.0.0.1:9/x-1.0.tar.gz cannot be reached",
    ),
    "certificate-uv": (
        "zzz",
        "error: Failed to fetch: https://127.0.0.1:9/simple/zzz/\n  cause: error sending request "
        "for url (https://127.0.0.1:9/simple/zzz/)\n  cause: client error (Connect)\n"
        "  cause: invalid peer certificate: UnknownIssuer",
        "index-untrusted",
        "The certificate of https://127.0.0.1:9 is not trusted here",
    ),
    "certificate-pip": (
        "zzz",
        "Could not fetch URL https://127.0.0.1:9/simple/zzz/: There was a problem confirming the "
        "ssl certificate: HTTPSConnectionPool(host='127.0.0.1', port=9): Max retries exceeded with "
        "url: /simple/zzz/ (Caused by SSLError(SSLCertVerificationError(1, '[SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1006)'))) - skipping",
        "index-untrusted",
        "The certificate of https://127.0.0.1:9 is not trusted here",
    ),
    "repository-unreachable-uv": (
        "git+https://127.0.0.1:9/x.git",
        "error: Git operation failed\n  cause: failed to clone into: /c/git-v2/db/64\n  cause: "
        "process didn't exit successfully: `git fetch` (exit status: 128)\n"
        "         --- stderr\n         "
        "fatal: unable to access 'https://127.0.0.1:9/x.git/': Failed to connect to 127.0.0.1",
        "repository-unreachable",
        "https://127.0.0.1:9/x.git/ cannot be reached",
    ),
    "repository-unreachable-pip": (
        "git+https://127.0.0.1:9/x.git",
        "  fatal: unable to access 'https://127.0.0.1:9/x.git/': Failed to connect to 127.0.0.1\n"
        "error: subprocess-exited-with-error",
        "repository-unreachable",
        "https://127.0.0.1:9/x.git/ cannot be reached",
    ),
    "repository-missing": (
        "git+ssh://git@nowhere/x.git",
        "error: Git operation failed\n         fatal: '/nowhere/x.git' does not appear to be a git "
        "repository\n         fatal: Could not read from remote repository.",
        "repository-missing",
        "There is no repository at /nowhere/x.git",
    ),
    "unreachable-pip": (
        "zzz",
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...): "
        "Failed to establish a new connection: [Errno 111] Connection refused'",
        "index-unreachable",
        "cannot be reached",
    ),
    "forbidden-uv": (
        "zzz",
        "error: Failed to fetch: http://127.0.0.1:2/simple/zzz/\n  cause: HTTP status client error "
        "(403 Forbidden) for url (http://127.0.0.1:2/simple/zzz/)",
        "index-refused",
        "http://127.0.0.1:2/simple/zzz/ wants other credentials",
    ),
    "server-error": (
        "zzz",
        "error: Failed to fetch: http://127.0.0.1:2/simple/zzz/\n  cause: HTTP status server error "
        "(500 Internal Server Error) for url (http://127.0.0.1:2/simple/zzz/)",
        "index-error",
        "http://127.0.0.1:2/simple/zzz/",
    ),
    "build": (
        "badsd",
        "error: Failed to download and build `badsd==1.0`\n  cause: Build backend failed",
        "build-failed",
        "badsd==1.0 has no ready-made wheel",
    ),
    "space": (
        "six",
        "error: Failed to install: six-1.17.0\n  cause: No space left on device (os error 28)",
        "no-space",
        "The disk is full",
    ),
    "conflict": (
        "aa bb==2",
        "  cause: Because all versions of aa depend on bb==1.0 and you require aa, we can conclude "
        f"that you require bb==1.0.\n  And because you require bb==2.0{UNSAT}",
        "conflict",
        "cannot be met together",
    ),
    "cut-uv": (
        "aa==2",
        "  cause: Because aa==2.0 has an invalid package format and you require aa==2.0"
        f"{UNSAT}\nhint: The structure of `aa` (v2.0) was invalid:\n  Failed to read from zip file",
        "damaged-package",
        "The wheel of aa 2.0 cannot be read",
    ),
    "cut-pip": (
        "aa==2",
        "WARNING: Connection interrupted while downloading.\nerror: incomplete-download\n\n"
        "× Download failed because not enough bytes were received (1.0 kB/2.0 kB)",
        "incomplete-download",
        "cut before a download had ended",
    ),
    "unknown": ("six", "error: something new\nmore", "installer-failed", "uv stopped: something"),
    "silent": ("six", "", "installer-failed", "it gave no reason"),
}


@pytest.mark.parametrize(("line", "text", "code", "words"), CASES.values(), ids=CASES.keys())
def test_a_failure_becomes_one_sentence(line: str, text: str, code: str, words: str) -> None:
    error = explain("uv", text, parse(line, cwd="/"), environment(), Sources())
    assert error.code == code
    assert words in error.message
    assert "\n" not in error.message


def test_no_secret_survives_in_message_or_context() -> None:
    text = "error: Failed to fetch: https://me:s3cr3t@index.invalid/six/\n cause: dns error"
    sources = Sources(index_url="https://me:s3cr3t@index.invalid/simple")
    error = explain("uv", text + "\nplain s3cr3t", parse("six", cwd="/"), environment(), sources)
    assert "s3cr3t" not in error.message + error.context


def test_what_a_build_lacked_stands_first() -> None:
    text = (
        "   Building mine @ file:///w/mine\nerror: Failed to build `mine @ file:///w/mine`\n"
        "  cause: Failed to resolve requirements from `setup.py` build\n"
        "  cause: Because setuptools was not found in the provided package locations\n"
    )
    error = explain("uv", text, parse("six", cwd="/w"), environment(), Sources())
    first, second, *_ = error.context.splitlines()
    assert first.startswith("cause: Because setuptools was not found")
    assert second.startswith("error: Failed to build")


def explained(words: list[str], folder: Path) -> InstallerError:
    """Return what is said of a failure of a request in that folder."""
    request = parse(words, cwd=str(folder))
    return explain("uv", "error: broken in some way", request, environment(), Sources())


@pytest.mark.parametrize("name", ["six-1.0.tar.gz", "six-1.0.zip", "six-1.0-py3-none-any.whl"])
@pytest.mark.parametrize(
    "content", [b"", b"no archive at all", b"\x1f\x8b\x08 cut", b"PK\x03\x04 cut"]
)
def test_a_file_that_is_no_archive_is_told_at_once(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    error = explained([f"./{name}"], tmp_path)
    assert error.message.startswith(f"{name} is no ")
    assert error.message.endswith("it is damaged, or was never one.")


@pytest.mark.parametrize(
    ("name", "form"), [("six-1.0.tar.gz", "gztar"), ("six-1.0.zip", "zip"), ("six.tar.xz", "xztar")]
)
def test_an_archive_without_a_project_is_told_at_once(tmp_path: Path, name: str, form: str) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "readme").touch()
    made = shutil.make_archive(str(tmp_path / "made"), form, tmp_path, "src")
    Path(made).rename(tmp_path / name)
    assert explained([f"./{name}[a]"], tmp_path).message.startswith(f"{name} holds no project")
    (tmp_path / "src" / "setup.py").touch()
    made = shutil.make_archive(str(tmp_path / "made"), form, tmp_path, "src")
    Path(made).rename(tmp_path / name)
    assert "broken" in explained([f"./{name}"], tmp_path).message
