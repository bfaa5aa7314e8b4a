"""The stories, told to a recorder: what is started in which order, and what stands on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safeinstall.errors import SafeInstallError
from safeinstall.frontend import TERMINAL
from safeinstall.operations import Context, carry_out
from safeinstall.operations.planning import installer_choice
from safeinstall.render.layout import as_text
from safeinstall.render.outcome_words import outcome_message
from safeinstall.request import (
    AutoloadRequest,
    HistoryRequest,
    InstallRequest,
    RecoverRequest,
    SurveyRequest,
    UndoRequest,
    parse,
    parse_uninstall,
)
from support.layouts import lay_out, with_program
from support.recorder import PLAN, PROOF, STAGE, Recorder, context_with
from support.reports import environment, locked_access
from support.wheels import make_wheel


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty environment; the uv that would be found is a name only."""
    monkeypatch.setattr(installer_choice, "_own_uv", lambda index: ("/no/uv", "0.13.9"))
    return tmp_path / "env"


def recorder(prefix: Path, *names: str, version: str = "1.0", **wheel: Any) -> Recorder:
    made = [make_wheel(prefix.parent / "wheels", name, version, **wheel) for name in names]
    site = prefix / "lib" / "python3.12" / "site-packages"
    return Recorder(site=site, wheels=made)


def asked(line: str) -> InstallRequest:
    return parse(f"--no-index {line}", cwd="/w")


def install(line: str, context: Context) -> Any:
    return carry_out(asked(line), context)


def installed(prefix: Path) -> list[str]:
    site = prefix / "lib" / "python3.12" / "site-packages"
    return sorted(path.name for path in site.glob("*.dist-info"))


def test_an_install_plans_stages_commits_and_proves(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")
    outcome = install("tinypkg", context_with(program, prefix))
    assert (outcome.status, outcome.exit_status) == ("done", 0)
    assert program.kinds == [PLAN, STAGE, PROOF]
    assert installed(prefix) == ["tinypkg-1.0.dist-info"]
    assert [(c.name, c.before, c.after, c.requested) for c in outcome.changes] == [
        ("tinypkg", None, "1.0", True)
    ]
    assert [(v.landed, v.fresh) for v in outcome.verification] == [(True, True)]
    assert outcome.to_dict()["plan"]["installer"]["name"] == "uv"


def test_a_uv_that_answers_in_no_json_is_not_used(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer_choice, "_own_uv", lambda index: ("/no/uv", "0.12.17"))
    monkeypatch.setenv("PATH", "")
    program = recorder(prefix, "tinypkg")
    outcome = install("--installer uv tinypkg", context_with(program, prefix))
    assert outcome.status == "failed"
    assert outcome.stopping.message == "uv 0.12.17 is older than 0.12.18."
    assert outcome.stopping.hint[0].command == "%safeinstall --upgrade --installer pip uv"
    assert program.kinds == []


def test_what_is_there_already_starts_no_installer(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")
    context = context_with(program, prefix)
    install("tinypkg", context)
    program.commands.clear()
    outcome = install("tinypkg", context)
    assert (outcome.status, program.kinds) == ("satisfied", [PROOF])
    assert [found.name for found in outcome.satisfied] == ["tinypkg"]


def test_a_dry_run_plans_and_stops(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")
    outcome = install("--dry-run tinypkg", context_with(program, prefix))
    assert (outcome.status, program.kinds) == ("planned", [PLAN])
    assert installed(prefix) == []
    assert not (prefix / ".safeinstall").exists()


def test_a_plan_nobody_agrees_to_is_only_shown(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")
    context = context_with(program, prefix, agreed=lambda plan: False)
    assert install("tinypkg", context).status == "planned"
    assert program.kinds == [PLAN]


def test_a_question_stops_before_anything_is_staged(prefix: Path) -> None:
    program = recorder(prefix, "user", requires=["tinypkg<2"])
    program.wheels = [make_wheel(prefix.parent / "wheels", "tinypkg"), *program.wheels]
    context = context_with(program, prefix)
    assert install("user tinypkg", context).status == "done"
    program.wheels = [make_wheel(prefix.parent / "wheels", "tinypkg", "2.0")]
    program.commands.clear()
    outcome = install("tinypkg==2.0", context)
    assert outcome.status == "needs-confirmation"
    assert STAGE not in program.kinds
    assert [finding.code for finding in outcome.findings] == ["breaks-installed"]
    assert outcome.findings[0].hint[-1].command.startswith("%safeinstall")
    assert installed(prefix) == ["tinypkg-1.0.dist-info", "user-1.0.dist-info"]
    done = install("--allow-conflicts tinypkg==2.0", context)
    assert done.status == "done"
    assert installed(prefix) == ["tinypkg-2.0.dist-info", "user-1.0.dist-info"]


def test_an_installer_that_fails_is_explained_and_nothing_is_left(prefix: Path) -> None:
    program = recorder(prefix)
    program.failure = "error: Failed to fetch: `https://i/s`\n  Caused by: operation timed out"
    outcome = install("tinypkg", context_with(program, prefix))
    assert (outcome.status, outcome.exit_status) == ("failed", 1)
    assert outcome.stopping is not None
    assert installed(prefix) == []


def test_what_cannot_be_imported_afterwards_is_put_back(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")
    program.importable = False
    outcome = install("tinypkg", context_with(program, prefix))
    assert outcome.status == "rolled-back"
    assert outcome.stopping.code == "not-fresh"
    assert installed(prefix) == []


def test_an_interrupt_at_any_command_leaves_the_environment_as_it_was(prefix: Path) -> None:
    for where in (PLAN, STAGE, PROOF):

        def interrupt(kind: str, where: str = where) -> None:
            if kind == where:
                raise KeyboardInterrupt

        program = recorder(prefix, "tinypkg")
        program.before = interrupt
        outcome = install("tinypkg", context_with(program, prefix))
        assert outcome.status == "failed", where
        assert outcome.stopping.code == "interrupted"
        assert installed(prefix) == []


def test_another_program_that_changes_the_environment_makes_it_plan_again(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")
    others = iter(["first-1.0.dist-info", "second-1.0.dist-info"])

    def meddle(kind: str) -> None:
        name = next(others, "") if kind == PLAN else ""
        if name:
            (program.site / name).mkdir()
            (program.site / name / "METADATA").write_text(f"Name: {name[:-14]}\nVersion: 1.0\n")

    program.before = meddle
    said: list[str] = []
    outcome = install("tinypkg", context_with(program, prefix, progress=said.append))
    assert outcome.status == "done"
    assert program.kinds.count(PLAN) == 3
    assert said.count("the environment was changed by another program: planning again") == 2


def test_an_environment_that_never_rests_is_given_up(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")

    def meddle(kind: str) -> None:
        if kind == PLAN:
            (program.site / f"other{len(program.commands)}-1.0.dist-info").mkdir()

    program.before = meddle
    outcome = install("tinypkg", context_with(program, prefix))
    assert (outcome.status, outcome.stopping.code) == ("failed", "environment-busy")
    assert "tinypkg-1.0.dist-info" not in installed(prefix)


def test_an_undo_takes_back_an_install_and_an_undo_of_it_brings_it_again(prefix: Path) -> None:
    context = context_with(recorder(prefix, "tinypkg"), prefix)
    install("tinypkg", context)
    undone: Any = carry_out(UndoRequest(), context)
    assert (undone.status, undone.verb, installed(prefix)) == ("done", "undo", [])
    assert undone.to_dict()["plan"]["installer"]["name"] == "safeinstall"
    redone: Any = carry_out(UndoRequest(id=undone.transaction), context)
    assert (redone.status, installed(prefix)) == ("done", ["tinypkg-1.0.dist-info"])


def test_an_undo_is_refused_when_there_is_nothing_to_undo(prefix: Path) -> None:
    refused: Any = carry_out(UndoRequest(), context_with(recorder(prefix), prefix))
    assert (refused.status, refused.exit_status) == ("refused", 1)


def test_an_uninstall_asks_before_others_lose_what_they_need(prefix: Path) -> None:
    program = recorder(prefix, "user", requires=["tinypkg"])
    program.wheels = [make_wheel(prefix.parent / "wheels", "tinypkg"), *program.wheels]
    context = context_with(program, prefix)
    install("user tinypkg", context)
    stopped: Any = carry_out(parse_uninstall("tinypkg", cwd="/w"), context)
    assert (stopped.status, stopped.exit_status) == ("needs-confirmation", 3)
    line = stopped.stopping.hint[0].command
    assert line == "%safeuninstall --allow-conflicts tinypkg"
    again = parse_uninstall(line.removeprefix("%safeuninstall "), cwd="/w")
    done: Any = carry_out(again, context)
    assert (done.status, installed(prefix)) == ("done", ["user-1.0.dist-info"])
    absent: Any = carry_out(parse_uninstall("tinypkg", cwd="/w"), context)
    assert absent.status == "satisfied"


def test_the_history_says_what_was_done_and_forgets_what_is_pruned(prefix: Path) -> None:
    context = context_with(recorder(prefix, "tinypkg"), prefix)
    install("tinypkg", context)
    carry_out(UndoRequest(), context)
    found: Any = carry_out(HistoryRequest(), context)
    assert [entry.state for entry in found.entries] == ["committed", "undone"]
    left: Any = carry_out(HistoryRequest(prune=True, keep=1), context)
    assert len(left.entries) == 1


def test_recovery_has_nothing_to_do_where_nothing_died(prefix: Path) -> None:
    context = context_with(recorder(prefix), prefix)
    found: Any = carry_out(RecoverRequest(), context)
    assert found.recovery is None
    assert found.message == f"Nothing to recover in {prefix}."


def test_a_locked_environment_is_refused_before_anything_is_asked(prefix: Path) -> None:
    program = recorder(prefix, "tinypkg")
    context = context_with(program, prefix)
    shut = tuple(
        (key, replace(access, writable=False, detail="it belongs to root"))
        for key, access in context.environment.access
    )
    locked = replace(context, environment=replace(context.environment, access=shut))
    outcome = install("tinypkg", locked)
    assert (outcome.status, outcome.stopping.code) == ("refused", "not-writable")
    assert program.kinds == []


def test_the_survey_shows_every_python_that_can_be_named_on_path(
    prefix: Path, tmp_path: Path
) -> None:
    base = lay_out(tmp_path / "base")  # its interpreter is python3.11
    twice = with_program(tmp_path / "twice", "python3.11", "python3.9-config")
    environ = {"PATH": f"{base}/bin:{twice}:/nowhere", "HOME": str(tmp_path)}
    context = replace(context_with(recorder(prefix), prefix), environ=environ)
    answer: Any = carry_out(SurveyRequest(), context)
    rows = dict(answer.rows)
    assert list(rows) == [
        *("%pip", "!pip", "!pip3", "!python -m pip", "!python3 -m pip", "!python3.11 -m pip"),
        "!uv pip",
    ]
    assert rows["!python3.11 -m pip"].interpreter == f"{base}/bin/python3.11"
    assert rows["!pip3"].outcome == "command-not-found"


def test_loading_by_itself_is_refused_where_one_may_not_write_with_the_owners_line(
    prefix: Path,
) -> None:
    context = context_with(recorder(prefix), prefix)
    locked = environment(str(prefix), access=locked_access())
    with pytest.raises(SafeInstallError) as refused:
        carry_out(AutoloadRequest(), replace(context, environment=locked, frontend=TERMINAL))
    line = f"sudo {locked.executable} -m safeinstall autoload"
    assert (refused.value.code, refused.value.hint) == ("not-writable", line)
    assert "`%load_ext safeinstall` in a notebook" in refused.value.message


def test_no_question_is_offered_beside_a_refusal(prefix: Path) -> None:
    startup = {"early.pth": "import os; os.getcwd()\n"}
    program = recorder(prefix, "tinypkg", files=startup, lies_about="tinypkg.py")
    outcome = install("tinypkg", context_with(program, prefix))
    codes = {finding.code: finding for finding in outcome.findings}
    assert (outcome.status, outcome.stopping.code) == ("refused", "record-mismatch")
    assert codes["startup-code"].severity.value == "confirm"
    assert codes["startup-code"].hint == ()
    assert "--yes" not in as_text(outcome_message(outcome))
