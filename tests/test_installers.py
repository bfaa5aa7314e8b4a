"""Commands and reports of uv and pip: nothing is run here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from safeinstall.distributions import Changes
from safeinstall.errors import InstallerError
from safeinstall.installers import DryRun, Resolved
from safeinstall.installers.pip import Pip
from safeinstall.installers.sources import Sources
from safeinstall.installers.uv import Uv
from safeinstall.request import InstallRequest, parse
from support.reports import environment

HERE = environment()
UV, PIP = Uv("/uv"), Pip(("/py", "-m", "pip"))
PLAN = json.dumps(
    {
        "schema": {"version": "preview"},
        "changes": [
            {"name": "numpy", "version": "2.1.3", "action": "uninstalled"},
            {"name": "numpy", "version": "2.3.3", "action": "installed"},
            {"name": "mine", "version": "0.1", "action": "installed"},
        ],
    }
)


def asked(line: str) -> InstallRequest:
    return parse(line, cwd="/")


def test_uv_is_told_the_interpreter_and_nothing_ambient_moves_it() -> None:
    command = UV.plan_command(asked("six"), HERE, Sources())
    assert command.argv[:5] == ("/uv", "pip", "install", "--python", HERE.executable)
    assert command.argv[-1] == "six"
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_SYSTEM_PYTHON", "PIP_TARGET"):
        assert command.overrides[name] is None
    assert command.overrides["UV_PYTHON_DOWNLOADS"] == "never"


def test_uv_gets_a_folder_of_certificates_and_whole_seconds(tmp_path: Path) -> None:
    sources = Sources(cert=str(tmp_path), timeout="60.5")
    overrides = UV.plan_command(asked("six"), HERE, sources).overrides
    assert overrides["SSL_CERT_DIR"] == str(tmp_path)
    assert "SSL_CERT_FILE" not in overrides
    assert overrides["UV_HTTP_TIMEOUT"] == "61"


def test_uv_gets_pips_sources_and_no_secret_in_its_arguments() -> None:
    sources = Sources(
        index_url="https://me:s3cr3t@index.invalid/simple",
        extra_index_urls=("https://a.invalid/simple",),
        cert="/c.pem",
        proxy="http://proxy.invalid:1",
        timeout="9",
        trusted_hosts=("index.invalid",),
        no_index=True,
        find_links=("/links",),
    )
    command = UV.plan_command(asked("six"), HERE, sources)
    assert not any("s3cr3t" in word for word in command.argv)
    assert command.overrides["UV_DEFAULT_INDEX"] == sources.index_url
    assert command.overrides["UV_EXTRA_INDEX_URL"] == "https://a.invalid/simple"
    assert command.overrides["SSL_CERT_FILE"] == "/c.pem"
    assert command.overrides["HTTPS_PROXY"] == "http://proxy.invalid:1"
    assert command.overrides["UV_HTTP_TIMEOUT"] == "9"
    words = " ".join(command.argv)
    assert "--no-index --find-links /links --allow-insecure-host index.invalid" in words


def test_upgrade_means_what_is_named_as_with_pip() -> None:
    argv = UV.plan_command(asked("-U pandas"), HERE, Sources()).argv
    assert "--upgrade-package" in argv
    assert "--upgrade" not in argv


def test_uvs_plan_becomes_changes() -> None:
    plan = UV.read_plan(PLAN, " + mine==0.1 (from file:///src/mine)\n")
    changes = plan.changes({"numpy": "2.1.3"}, frozenset({"mine"}))
    assert [(c.name, c.before, c.after, c.requested) for c in changes] == [
        ("mine", None, "0.1", True),
        ("numpy", "2.1.3", "2.3.3", False),
    ]
    assert plan.arriving[1].url == "file:///src/mine"


@pytest.mark.parametrize("text", ["not json", "[]", '{"changes": [{"name": "x"}]}', "{}"])
def test_a_report_we_do_not_know_is_said_so_and_never_a_crash(text: str) -> None:
    with pytest.raises(InstallerError, match=r"report|plan"):
        UV.read_plan(text, "")
    with pytest.raises(InstallerError, match="report"):
        PIP.read_plan(text)


def staged(line: str, *resolved: Resolved) -> tuple[str, ...]:
    request, plan = asked(line), DryRun(arriving=resolved)
    changes = plan.changes({}, frozenset())
    command = UV.stage_commands("/stage", request, HERE, Sources(), changes, plan)[0]
    return command.argv[command.argv.index("--offline") + 1 :]


def test_staging_asks_for_the_exact_plan() -> None:
    words = staged(
        "pandas",
        Resolved(name="numpy", version="2.3.3"),
        Resolved(name="pandas", version="2.3.3"),
    )
    assert words == ("numpy==2.3.3", "pandas==2.3.3")


def test_staging_repeats_a_direct_reference_and_pins_the_rest() -> None:
    words = staged(
        "'mine @ https://host.invalid/mine-1.0.tar.gz'",
        Resolved(name="mine", version="1.0", url="https://host.invalid/mine-1.0.tar.gz"),
        Resolved(name="six", version="1.17.0"),
        Resolved(name="dep", version="3", url="https://host.invalid/dep-3.tar.gz"),
    )
    assert words == (
        "mine @ https://host.invalid/mine-1.0.tar.gz",
        "dep @ https://host.invalid/dep-3.tar.gz",
        "six==1.17.0",
    )


def test_pip_reads_no_configuration_but_what_it_is_handed() -> None:
    sources = Sources(index_url="https://me:s3cr3t@index.invalid/simple", cert="/c.pem")
    command = PIP.plan_command(asked("six"), HERE, sources)
    assert command.overrides["PIP_CONFIG_FILE"] == os.devnull
    assert command.overrides["PIP_INDEX_URL"] == "https://index.invalid/simple"
    assert "me" in command.netrc
    assert "s3cr3t" in command.netrc
    assert command.overrides["PIP_TARGET"] is None
    assert not any("s3cr3t" in word for word in command.argv)


@pytest.mark.parametrize("version", ["0", "1"])
def test_pips_report_becomes_a_plan(version: str) -> None:
    item = {
        "metadata": {"name": "mine", "version": "1.0"},
        "is_direct": True,
        "download_info": {"url": "file:///src/mine", "dir_info": {}},
    }
    text = "warning\n" + json.dumps({"version": version, "install": [item]})
    assert PIP.read_plan(text).arriving == (
        Resolved(name="mine", version="1.0", url="file:///src/mine"),
    )


def test_a_repository_is_pinned_to_its_commit() -> None:
    item = {
        "metadata": {"name": "mine", "version": "1.0"},
        "is_direct": True,
        "download_info": {
            "url": "https://host.invalid/mine.git",
            "vcs_info": {"vcs": "git", "commit_id": "abc"},
        },
    }
    plan = PIP.read_plan(json.dumps({"version": "1", "install": [item]}))
    assert plan.arriving[0].pin == "mine @ git+https://host.invalid/mine.git@abc"


def test_hashes_travel_as_a_requirements_file_on_standard_input() -> None:
    digest = "sha256:" + "0" * 64
    command = UV.plan_command(asked(f"six==1.17.0 --hash={digest}"), HERE, Sources())
    assert command.argv[-2:] == ("--requirement", "-")
    assert command.stdin == f"six==1.17.0 --hash={digest}\n"


def test_no_change_is_no_plan() -> None:
    assert Changes.of([]).items == ()
    assert not UV.read_plan('{"changes": []}', "").arriving


def test_uv_says_whether_its_cache_has_everything_the_plan_brings() -> None:
    said = "Resolved 1 package in 5ms\n{}Would install 1 package\n + tinypkg==1.0\n"
    assert UV.read_plan(PLAN, said.format("Would download 1 package\n")).downloads
    assert not UV.read_plan(PLAN, said.format("")).downloads
