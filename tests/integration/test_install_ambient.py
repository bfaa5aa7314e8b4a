"""The server's settings decide where packages come from, and never where they go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from integration.conftest import Desk
from support import certificates, indexes
from support.environments import Workshop, changes, snapshot
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

REDIRECTIONS = {
    "PIP_TARGET": "{away}",
    "PIP_PREFIX": "{away}",
    "PIP_ROOT": "{away}",
    "PIP_USER": "1",
    "PIP_PYTHON": "{server}/bin/python",
    "UV_PYTHON": "{server}/bin/python",
    "VIRTUAL_ENV": "{server}",
    "CONDA_PREFIX": "{server}",
}


def ambient(outcome: dict[str, object]) -> str:
    """Join what the findings say about settings that would have moved the install."""
    findings = outcome["findings"]
    assert isinstance(findings, list)
    return " ".join(
        f["message"] + f["context"] for f in findings if f["code"] == "ambient-redirect"
    )


@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("name", REDIRECTIONS)
def test_a_setting_of_the_server_never_moves_the_install_and_is_named(
    desk: Desk, workshop: Workshop, tmp_path: Path, name: str, installer: str
) -> None:
    away = tmp_path / "away"
    value = REDIRECTIONS[name].format(away=away, server=workshop.server.prefix)
    with desk.kernel(**{name: value}) as kernel:
        outcome = kernel.run(f"%safeinstall --installer {installer} {desk.offline} tinypkg").outcome
        assert kernel.run("import tinypkg").ok
    assert desk.environment.distribution("tinypkg").exists()
    assert not away.exists()
    local = Path(desk.settings["HOME"], ".local")  # the cache of an installer may hold it
    assert not list(local.rglob("tinypkg*.dist-info"))
    assert name in ambient(outcome), outcome["findings"]


@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("setting", ["target", "prefix", "user", "root"])
def test_a_line_of_a_pip_configuration_never_moves_the_install_and_is_named(
    desk: Desk, tmp_path: Path, setting: str, installer: str
) -> None:
    away = tmp_path / "away"
    config = tmp_path / "pip.conf"
    config.write_text(f"[install]\n{setting} = {'true' if setting == 'user' else away}\n")
    with desk.kernel(PIP_CONFIG_FILE=str(config)) as kernel:
        outcome = kernel.run(f"%safeinstall --installer {installer} {desk.offline} tinypkg").outcome
    assert desk.environment.distribution("tinypkg").exists()
    assert not away.exists()
    assert setting in ambient(outcome), outcome["findings"]


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_wheels_are_found_through_the_settings_of_pip(desk: Desk, installer: str) -> None:
    with desk.kernel(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(desk.wheels)) as kernel:
        assert (
            kernel.run(f"%safeinstall --installer {installer} tinypkg").outcome["status"] == "done"
        )


@pytest.mark.parametrize("place", ["user", "environment", "named"])
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_wheels_are_found_through_a_configuration_file_of_pip(
    desk: Desk, tmp_path: Path, installer: str, place: str
) -> None:
    config = {
        "user": Path(desk.settings["HOME"], ".config", "pip", "pip.conf"),
        "environment": desk.environment.prefix / "pip.conf",
        "named": tmp_path / "named.conf",
    }[place]
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f"[global]\nno-index = true\nfind-links = {desk.wheels}\n")
    settings = dict(desk.settings)
    del desk.settings["PIP_CONFIG_FILE"]
    if place == "named":
        desk.settings["PIP_CONFIG_FILE"] = str(config)
    with desk.kernel() as kernel:
        assert (
            kernel.run(f"%safeinstall --installer {installer} tinypkg").outcome["status"] == "done"
        )
    desk.settings.update(settings)


def test_a_constraint_in_the_settings_of_pip_holds(desk: Desk, tmp_path: Path) -> None:
    make_wheel(desk.wheels, "tinypkg", "2.0")
    limits = tmp_path / "limits.txt"
    limits.write_text("tinypkg<2\n")
    with desk.kernel(PIP_CONSTRAINT=str(limits)) as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert kernel.run("import tinypkg; print(tinypkg.__version__)").stdout.strip() == "1.0"


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_paths_in_the_settings_of_pip_begin_where_the_user_is(desk: Desk, installer: str) -> None:
    make_wheel(desk.notebooks / "near", "tinypkg", "1.0")
    make_wheel(Path(desk.settings["HOME"], "far"), "tinypkg", "2.0")
    make_wheel(Path(desk.settings["HOME"], "far"), "away", "1.0")
    (desk.notebooks / "limits.txt").write_text("tinypkg<2\n")
    settings = {
        **desk.settings,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "near ~/far",
        "PIP_CONSTRAINT": "limits.txt",
    }
    words = ("-m", "safeinstall", "install", "--installer", installer, "tinypkg", "away")
    done = desk.environment.run(*words, settings=settings, cwd=desk.notebooks)
    assert done.returncode == 0, done.stderr
    assert desk.environment.distribution("tinypkg", "1.0").exists()
    assert desk.environment.distribution("away", "1.0").exists()


@pytest.mark.skipif(certificates.PROGRAM is None, reason="needs openssl to make certificates")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_behind_a_certificate_of_the_company_is_trusted_as_pip_is_told(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    home = Path(desk.settings["HOME"])
    context = certificates.authority(home / "ca")
    ways = {
        "file": {"PIP_CERT": str(home / "ca" / "company.pem")},
        "home": {"PIP_CERT": "~/ca/company.pem"},
        "folder": {"PIP_CERT": str(home / "ca" / "trusted")},
        "requests": {"REQUESTS_CA_BUNDLE": str(home / "ca" / "company.pem")},
        "both": {"REQUESTS_CA_BUNDLE": str(home / "ca" / "company.pem"), "PIP_CERT": os.devnull},
    }
    for way in (*ways, "none"):
        make_wheel(tmp_path / "w", f"told-by-{way}-{installer}")
    with indexes.serving(tmp_path / "w", tmp_path / "www", context=context) as address:
        asked = {**desk.settings, "PIP_INDEX_URL": address, "PIP_RETRIES": "0"}
        words = ("-m", "safeinstall", "install", "--installer", installer)
        for way, told in ways.items():
            name = f"told-by-{way}-{installer}"
            done = desk.environment.run(*words, name, settings={**asked, **told})
            assert done.returncode == 0, (way, done.stderr)
        done = desk.environment.run(*words, f"told-by-none-{installer}", settings=asked)
    assert done.returncode == 1
    assert "certificate" in done.stderr, done.stderr
    assert "PIP_CERT" in done.stderr, done.stderr


def test_an_environment_folder_beside_the_notebook_is_not_mistaken_for_the_kernels(
    desk: Desk, workshop: Workshop
) -> None:
    other = workshop.make("uv-venv", desk.notebooks / ".venv")
    before = snapshot(other.prefix)
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").outcome["status"] == "done"
        assert kernel.run("import tinypkg").ok
    assert changes(before, snapshot(other.prefix)) == []


def test_files_beside_the_notebook_do_not_stand_in_for_the_installer(desk: Desk) -> None:
    for name in ("pip", "uv"):
        (desk.notebooks / f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    trap = desk.environment.run("-m", "pip", "-V", settings=desk.settings, cwd=desk.notebooks)
    assert (
        "the wrong one" in trap.stderr
    )  # the trap is real: an installer started there falls into it
    make_wheel(desk.wheels, "tinypkg-too")
    with desk.kernel() as kernel:
        for installer, package in (("uv", "tinypkg"), ("pip", "tinypkg-too")):
            line = f"%safeinstall --installer {installer} {desk.offline} {package}"
            assert kernel.run(line).outcome["status"] == "done"
