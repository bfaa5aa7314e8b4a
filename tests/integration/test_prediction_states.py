"""Generated states: kind, variables, settings, flags, permissions; predict, install, compare."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from integration.test_prediction import CONF, INSTALL, UV_HERE, Case, Desk, Lab, lab
from support.examples import examples
from support.privileges import can_switch

__all__ = ["lab"]

pytestmark = pytest.mark.integration

KINDS = ("alone", "venv", "system-venv", "virtualenv", "uv-venv")
USERS = ("owner", "ordinary") if can_switch() else ("owner",)
OPTIONS = ("", "--user", "--no-user", "--upgrade", "--break-system-packages", "--dry-run")
VARIABLES = {
    "PIP_USER": ("1", "0", ""),
    "PYTHONNOUSERSITE": ("1",),
    "PIP_REQUIRE_VIRTUALENV": ("true", "false"),
    "PIP_TARGET": ("{home}/lib",),
    "PIP_BREAK_SYSTEM_PACKAGES": ("1",),
    "PYTHONUSERBASE": ("{home}/base",),
}
LINES = ("user = true", "user = false", "require-virtualenv = true", "break-system-packages = on")
FLAGS = ((), ("-s",), ("-I",), ("-E",))


@st.composite
def states(draw: st.DrawFn) -> Case:
    """Draw one state of a kernel and one command typed into it."""
    kind = draw(st.sampled_from(KINDS))
    env = draw(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.integers(0, 2), max_size=3))
    chosen = {name: VARIABLES[name][at % len(VARIABLES[name])] for name, at in env.items()}
    section = draw(st.sampled_from(("global", "install")))
    line = draw(st.sampled_from(("", *LINES)))
    with_uv = draw(st.integers(0, 4)) == 0
    before = draw(st.sampled_from((("a marker",), ("modules open to all",), ())))
    options = draw(st.sampled_from(OPTIONS))
    return Case(
        id="generated",
        kind=kind,
        user=draw(st.sampled_from(USERS)),
        pip=draw(st.sampled_from(("newest", "25.0.1"))),
        flags=draw(st.sampled_from(FLAGS)),
        cell=UV_HERE if with_uv else f"%pip install {options} {INSTALL} quince",
        env=chosen,
        files={CONF: f"[{section}]\n{line}\n"} if line else {},
        before=(*before, "uv on PATH") if with_uv else before,
        place="target-dir" if chosen.get("PIP_TARGET") and not with_uv else "",
    )


@settings(
    max_examples=examples(25),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(case=states())
def test_the_prediction_holds_in_any_state(lab: Lab, case: Case) -> None:
    library = lab.library(case.old)
    assert library is not None
    predicted, measured = Desk(lab, case, library).run()
    note(f"{case}\n{predicted}\n{measured}")
    assert (predicted["outcome"], predicted["path"]) == measured
