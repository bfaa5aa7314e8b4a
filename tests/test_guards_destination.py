from __future__ import annotations

from pathlib import Path

import pytest

from safeinstall.findings import Finding, Severity
from safeinstall.guards import examine
from safeinstall.guards.environment_state import debian_package
from safeinstall.installers.sources import Redirection, ResolvedRequest, Sources
from support.reports import MARKER, intent, locked_access


def only(found: tuple[Finding, ...]) -> Finding:
    assert len(found) == 1
    return found[0]


def test_a_writable_environment_raises_nothing() -> None:
    assert examine(intent()) == ()


def test_an_environment_of_somebody_else_is_refused_with_the_reason_and_a_way_on() -> None:
    finding = only(examine(intent(access=locked_access())))
    assert (finding.code, finding.severity) == ("not-writable", Severity.REFUSE)
    assert "belongs to root (mode 755), not to you" in finding.context
    assert [way.command for way in finding.hint] == [
        "%safeinstall --new-env --overlay pandas",
        "%safeinstall --new-env pandas",
        "sudo /home/ana/proj/.venv/bin/python -m safeinstall install pandas",
    ]


def test_debians_own_python_is_refused_and_apt_is_offered() -> None:
    finding = only(examine(intent(kind="debian-system", externally_managed=MARKER)))
    assert finding.code == "externally-managed"
    assert "its packages belong to apt" in finding.message
    assert finding.hint[-1].command == "sudo apt install python3-pandas"


@pytest.mark.parametrize(
    ("line", "packages"),
    [
        ("scikit-learn Pillow", "python3-sklearn python3-pil"),
        ("scikit-learn never-heard-of", ""),
        ("git+https://h/a/b", ""),
    ],
)
def test_apt_is_offered_only_what_it_knows_by_the_name_it_has_there(
    line: str, packages: str
) -> None:
    finding = only(examine(intent(line, kind="debian-system", externally_managed=MARKER)))
    offered = [way.command for way in finding.hint if "apt" in way.command]
    assert offered == ([f"sudo apt install {packages}"] if packages else [])


def test_what_dpkg_has_put_there_is_known_by_its_lists(tmp_path: Path) -> None:
    place = "/usr/lib/python3/dist-packages/six-1.16.0.egg-info"
    (tmp_path / "python3-six.list").write_text(f"/usr\n{place}/PKG-INFO\n")
    (tmp_path / "python3-yaml:amd64.list").write_text("/usr/lib/x\n/y/PyYAML-6.0.dist-info\n")
    assert debian_package(place, tmp_path) == "python3-six"
    assert debian_package("/y/PyYAML-6.0.dist-info", tmp_path) == "python3-yaml"
    assert debian_package("/y/PyYAML-6.0", tmp_path) == ""


def test_break_system_packages_is_never_offered() -> None:
    finding = only(examine(intent(kind="debian-system", externally_managed=MARKER)))
    assert not any("break" in way.command for way in finding.hint)


def test_a_destination_this_kernel_does_not_import_from_is_refused() -> None:
    assert only(examine(intent(sys_path=["/usr/lib/python3.12"]))).code == "not-importable"


def test_a_kernel_in_the_browser_is_sent_to_its_own_way() -> None:
    finding = only(examine(intent(kind="pyodide")))
    assert finding.hint[0].command == "%pip install pandas"


def test_require_virtualenv_is_obeyed_outside_one_only() -> None:
    sources = Sources(require_virtualenv="/etc/pip.conf")
    assert examine(intent(sources=sources)) == ()
    assert only(examine(intent(sources=sources, kind="pyenv"))).code == "virtualenv-required"


def test_the_user_site_is_no_destination_of_an_environment_that_can_be_written() -> None:
    finding = only(examine(intent("--user pandas")))
    assert finding.code == "other-destination"
    assert finding.hint[0].command == "%safeinstall pandas"


@pytest.mark.parametrize(
    ("redirection", "named"),
    [
        (Redirection(name="PIP_TARGET", value="/home/ana/t"), "PIP_TARGET=~/t"),
        (Redirection(name="target in /etc/pip.conf", value="/t"), "target in /etc/pip.conf=/t"),
        (Redirection(name="VIRTUAL_ENV", value="/home/ana/proj/.venv"), ""),
        (Redirection(name="UV_PYTHON", value="/home/ana/proj/.venv/bin/python"), ""),
    ],
    ids=["variable", "file", "same-environment", "same-interpreter"],
)
def test_a_setting_that_would_move_the_install_is_named_unless_it_leads_here(
    redirection: Redirection, named: str
) -> None:
    plain = intent()
    moved = ResolvedRequest(
        environment=plain.environment,
        request=plain.request,
        sources=plain.sources,
        redirections=(redirection,),
        destination=plain.destination,
    )
    found = examine(moved)
    if not named:
        assert found == ()
        return
    assert (only(found).code, only(found).severity) == ("ambient-redirect", Severity.INFO)
    assert named in only(found).message


def test_an_owner_types_no_option_that_is_for_oneself() -> None:
    asked = intent("--user --dry-run tiny other", access=locked_access())
    ways = only(examine(asked)).hint
    assert ways[-1].command.endswith("-m safeinstall install tiny other")
    assert "with tiny and other, as a kernel" in ways[1].note
