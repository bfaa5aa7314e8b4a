from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest

from safeinstall.installers.sources import Sources, redirections
from safeinstall.installers.uv_settings import may_redirect, read_uv_settings
from safeinstall.request import InstallRequest, parse
from safeinstall.request.cutoff import Cutoff, earliest


class Setting(NamedTuple):
    key: str
    value: str
    source: str = "/etc/pip.conf"


def test_settings_say_where_packages_come_from() -> None:
    sources = Sources.merged(
        [
            Setting("index-url", "https://index.invalid/simple"),
            Setting("extra-index-url", "https://a.invalid/simple\nhttps://b.invalid/simple"),
            Setting("trusted-host", "a.invalid"),
            Setting("cert", "/etc/company.pem"),
            Setting("proxy", "http://proxy.invalid:3128"),
            Setting("timeout", "60"),
            Setting("no-index", "false"),
            Setting("constraint", "/etc/constraints.txt"),
            Setting("only-binary", "numpy,pandas"),
        ],
        InstallRequest(),
    )
    assert sources.index_url == "https://index.invalid/simple"
    assert sources.extra_index_urls == ("https://a.invalid/simple", "https://b.invalid/simple")
    assert (sources.cert, sources.timeout) == ("/etc/company.pem", "60")
    assert sources.no_index is False
    assert sources.constraints == ("/etc/constraints.txt",)
    assert sources.only_binary == ("numpy", "pandas")


def test_what_is_typed_replaces_single_values_and_extends_lists(tmp_path: Path) -> None:
    request = parse(
        f"--index-url https://typed.invalid/simple --find-links {tmp_path} six", cwd="/"
    )
    sources = Sources.merged(
        [
            Setting("index-url", "https://index.invalid"),
            Setting("find-links", "https://links.invalid"),
        ],
        request,
    )
    assert sources.index_url == "https://typed.invalid/simple"
    assert sources.index_typed
    assert sources.find_links == ("https://links.invalid", str(tmp_path))


def test_an_ambient_folder_that_is_not_there_is_left_out_as_pip_does() -> None:
    sources = Sources.merged(
        [Setting("find-links", "/no/such/folder file:///no/other")], InstallRequest()
    )
    assert sources.find_links == ()


def test_paths_are_read_as_pip_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "links").mkdir()
    (tmp_path / "near").mkdir()
    sources = Sources.merged(
        [
            Setting("cert", "~/company.pem"),
            Setting("client-cert", "mine.pem"),
            Setting("find-links", "~/links near https://links.invalid"),
            Setting("constraint", "limits.txt https://limits.invalid/c.txt"),
        ],
        InstallRequest(cwd=str(tmp_path)),
    )
    assert sources.cert == f"{tmp_path}/company.pem"
    assert sources.client_cert == f"{tmp_path}/mine.pem"
    assert sources.find_links == (
        f"{tmp_path}/links", f"{tmp_path}/near", "https://links.invalid",
    )  # fmt: skip
    assert sources.constraints == (f"{tmp_path}/limits.txt", "https://limits.invalid/c.txt")


def test_the_certificates_of_requests_come_before_those_of_pip_as_in_pip() -> None:
    settings = [Setting("cert", "/pip.pem")]
    told = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "/curl.pem"}
    assert Sources.merged(settings, InstallRequest(), told).cert == "/curl.pem"
    assert Sources.merged(settings, InstallRequest(), {}).cert == "/pip.pem"


def test_passwords_are_known_as_secrets() -> None:
    sources = Sources.merged(
        [Setting("index-url", "https://me:p%40ss@index.invalid/simple")], InstallRequest()
    )
    assert set(sources.secrets) == {"p%40ss", "p@ss"}


def test_settings_that_would_move_the_install_are_named_not_obeyed() -> None:
    found = redirections(
        {"PIP_TARGET": "/t", "PIP_USER": "0", "UV_PYTHON": "/a/python", "VIRTUAL_ENV": ""},
        [
            Setting("target", "/x", "/etc/pip.conf"),
            Setting("user", "false", "/etc/pip.conf"),
            Setting("target", "/t", "environment variable PIP_TARGET"),
        ],
    )
    assert [(item.name, item.value) for item in found] == [
        ("PIP_TARGET", "/t"),
        ("UV_PYTHON", "/a/python"),
        ("target in /etc/pip.conf", "/x"),
    ]


def settings_of_uv(folder: Path, **variables: str) -> dict[str, tuple[str, str]]:
    """Return value and source of what uv would obey in `folder / "here"`."""
    (folder / "here").mkdir(exist_ok=True)
    environ = {"HOME": str(folder), "XDG_CONFIG_DIRS": str(folder / "none"), **variables}
    found = read_uv_settings(environ, str(folder / "here"))
    return {each.key: (each.value, each.source) for each in found.values()}


def test_settings_of_uv_come_from_the_nearest_file_the_users_file_and_the_variables(
    tmp_path: Path,
) -> None:
    user = tmp_path / ".config" / "uv" / "uv.toml"
    user.parent.mkdir(parents=True)
    user.write_text(
        "link-mode = 'copy'  # why not\n"
        'exclude-newer = "2020-01-01"\n'
        'exclude-newer-package = { Aa = "2021-01-01", bb = false }\n'
    )
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nlink-mode = "no"\n[tool.uv]\nexclude-newer = "30 days"\n')
    found = settings_of_uv(tmp_path, UV_LINK_MODE="clone")
    assert found["link-mode"] == ("clone", "UV_LINK_MODE")
    assert found["exclude-newer"] == ("30 days", f"exclude-newer in {project}")
    assert found["exclude-newer-package.Aa"][0] == "2021-01-01"
    assert found["exclude-newer-package.bb"][0] == "false"


def test_what_uv_is_told_for_pip_comes_before_what_it_is_told_for_all(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text(
        '\ufeffexclude-newer = "2020-01-01"\n[pip]\nexclude-newer = "2021-01-01"\n', "utf-8"
    )
    assert settings_of_uv(tmp_path)["exclude-newer"][0] == "2021-01-01"
    (tmp_path / "own.toml").touch()
    assert settings_of_uv(tmp_path, UV_CONFIG_FILE=str(tmp_path / "own.toml")) == {}
    assert settings_of_uv(tmp_path, UV_NO_CONFIG="1") == {}


def test_a_file_of_uv_redirects_by_its_own_keys_alone(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    (tmp_path / "pyproject.toml").write_text('[project.scripts]\ntarget = "x"\n[tool.uv]\n')
    assert not may_redirect(environ, str(tmp_path))
    (tmp_path / "pyproject.toml").write_text('[tool.uv.pip]\ntarget = "x"\n')
    assert may_redirect(environ, str(tmp_path / "below"))


@pytest.mark.parametrize(
    ("text", "pip", "uv"),
    [
        ("2025-01-01T10:00:00Z", "2025-01-01T10:00:00Z", "2025-01-01T10:00:00Z"),
        ("2025-01-01T10:00:00+02:00", "2025-01-01T08:00:00Z", "2025-01-01T08:00:00Z"),
        ("2025-01-01", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"),
        ("20250101", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"),
        ("last summer", "last summer", "last summer"),
        ("3 months", "3 months", "3 months"),
    ],
)
def test_a_day_begins_for_pip_and_ends_for_uv(
    monkeypatch: pytest.MonkeyPatch, text: str, pip: str, uv: str
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    found = (Cutoff.of_pip(text, "").written, Cutoff.of_uv(text, "").written)
    monkeypatch.undo()
    time.tzset()
    assert found == (pip, uv)


@pytest.mark.parametrize("text", ["P7D", "1 week", "7 days", "7d", "168 hours", "P1W", "PT168H"])
def test_a_duration_counts_from_now(text: str) -> None:
    moment = Cutoff.of_uv(text, "").moment
    assert moment is not None
    age = datetime.now(timezone.utc) - moment
    assert timedelta(days=7) <= age < timedelta(days=7, minutes=1)


def test_the_strictest_cut_off_holds_and_one_that_cannot_be_read_stops_all() -> None:
    old, new = (Cutoff.of_pip(f"{year}-01-01", "") for year in (2020, 2021))
    broken = Cutoff.of_pip("x", "")
    assert earliest(new, None, old) is old
    assert earliest(new, broken, old) is broken
    assert earliest(None) is None


def test_a_typed_cut_off_replaces_all_and_none_typed_lets_the_stricter_hold() -> None:
    settings = [Setting("uploaded-prior-to", "2024-01-01", "environment variable PIP_X")]
    uv = {
        "exclude-newer": Setting("exclude-newer", "2020-01-01", "uv"),
        "exclude-newer-package.Aa": Setting("exclude-newer-package.Aa", "false", "uv"),
    }
    sources = Sources.merged(settings, InstallRequest(), {}, uv)
    assert sources.cutoff and sources.cutoff.source == "uv"
    assert [(name, own and own.source) for name, own in sources.package_cutoffs] == [
        ("aa", "PIP_X")
    ]
    typed = Sources.merged(settings, parse("--uploaded-prior-to 2026-01-01 six", cwd="/"), {}, uv)
    assert typed.cutoff and typed.cutoff.text == "2026-01-01"
    assert typed.package_cutoffs == (("aa", typed.cutoff),)
    lifted = Sources.merged(settings, parse("--uploaded-prior-to P0D six", cwd="/"), {}, uv)
    assert (lifted.cutoff, lifted.cutoff_lifted, lifted.package_cutoffs) == (
        None,
        True,
        (("aa", None),),
    )


def test_files_of_constraints_know_who_named_them() -> None:
    settings = [Setting("constraint", "a.txt", "environment variable PIP_CONSTRAINT")]
    request = InstallRequest(cwd="/here", constraint_files=("/here/c.txt",))
    sources = Sources.merged(settings, request, {"UV_CONSTRAINT": "b.txt a.txt"})
    assert sources.constraints == ("/here/a.txt", "/here/b.txt", "/here/c.txt")
    assert dict(sources.origins)["/here/c.txt"] == "-c"
    assert dict(sources.origins)["/here/b.txt"] == "UV_CONSTRAINT"
