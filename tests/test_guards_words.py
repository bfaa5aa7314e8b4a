"""Every message of the guards, as golden files; `GOLDEN=write` writes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeinstall.distributions import Change, Changes, Distribution, Snapshot
from safeinstall.findings import Finding, Severity
from safeinstall.guards import conflicts, kernel_stack, request, weigh
from safeinstall.guards.conflicts import violations_of
from safeinstall.guards.environment_state import EnvironmentState, Loaded, OtherKernel, Owner
from safeinstall.installers import DryRun, Resolved
from safeinstall.installers.sources import Sources
from safeinstall.installers.uv import Uv
from safeinstall.metadata.distribution import InstalledState
from safeinstall.outcome import Outcome
from safeinstall.plan import InstallerChoice, Plan
from safeinstall.render import as_html, as_text, outcome_message
from safeinstall.request import RequestItem
from support.reports import environment, intent
from support.words import Words

FILE = "/home/ana/proj/requirements.txt"
GOLDEN = Path(__file__).parent / "golden" / "guards"


def have(name: str, version: str = "1.0", *requires: str) -> Distribution:
    return Distribution(
        name=name, version=version, location="/s", metadata="/s/x", requires=requires
    )


INSTALLED = Snapshot(
    (
        have("pandas", "2.3.3", "numpy>=2.0"),
        have("seaborn", "0.13.2", "pandas"),
        have("scipy", "1.16.0", "numpy<2.6,>=1.25.2"),
        have("numpy", "2.3.3"),
        have("ipykernel", "7.4.0", "traitlets>=5.4", "jupyter-client>=8"),
        have("traitlets", "5.14.3"),
        have("jupyter-client", "8.6.3", "traitlets>=5.3"),
        have("torch", "2.4.0+cu124"),
    )
)


def change(name: str, before: str | None, after: str | None, requested: bool = True) -> Change:
    return Change(name=name, before=before, after=after, requested=requested)


def plan(line: str, *changes: Change, yanked: str | None = None, **report: Any) -> Plan:
    return Plan(
        intent=intent(line, **report),
        chosen=InstallerChoice(installer=Uv("/uv"), version="", reason=""),
        changes=Changes.of(changes),
        resolved=DryRun(
            arriving=tuple(
                Resolved(name=c.name, version=c.after, yanked=yanked) for c in changes if c.after
            )
        ),
        installed=INSTALLED,
        state=InstalledState(()),
    )


NUMPY = plan("numpy==1.26.4", change("numpy", "2.3.3", "1.26.4"))
TRAITLETS = plan("traitlets==4.3.3", change("traitlets", "5.14.3", "4.3.3"))
TORCH = plan("foo", change("foo", None, "1.0"), change("torch", "2.4.0+cu124", "2.5.0", False))
FIRST = plan("greedy", change("greedy", None, "2.0"), change("traitlets", "5.14.3", "4.3.3", False))
KEPT = plan("greedy", change("greedy", None, "1.0"))
AROUND = EnvironmentState(visible=INSTALLED)


def found(of: Plan, around: EnvironmentState = AROUND) -> Any:
    return violations_of(of, around)


def from_file() -> Finding | None:
    url = "git+https://ana:secret@git.example/x"
    item = RequestItem(text=url, kind="vcs", origin="requirements.txt:3")
    plain = intent("pandas")
    return request.from_file_only(
        replace(plain, request=replace(plain.request, items=(item,), requirement_files=(FILE,)))
    )


def not_typed() -> Finding | None:
    line = (
        "--index-url https://ana:secret@evil.example/simple --trusted-host evil.example "
        "--find-links https://evil.example/wheels --allow-build pandas "
        'pandas "helper @ https://evil.example/helper-1.0-py3-none-any.whl"'
    )
    return request.not_typed(intent(line))


def stdlib_name_in_a_file() -> Finding | None:
    plain = intent("pandas")
    item = RequestItem(text="json", name="json", origin="requirements.txt:1")
    asked = replace(plain.request, items=(item,), requirement_files=(FILE,))
    return request.name_trap(replace(plain, request=asked), ())


def unheeded(*settings: str) -> Finding | None:
    plain = intent("pandas")
    return request.unheeded(replace(plain, request=replace(plain.request, unheeded=settings)))


def explicit_folder() -> Finding | None:
    plain = intent("pandas")
    item = RequestItem(text="/home/ana/proj/lib", kind="folder")
    return request.explicit_build(replace(plain, request=replace(plain.request, items=(item,))))


def at(**facts: Any) -> EnvironmentState:
    return replace(AROUND, **facts)


NUMPY_LOADED = Loaded(name="numpy", modules=("numpy", "numpy._core.multiarray"), compiled=1)
CASES: dict[str, Callable[[], Finding | None]] = {
    "breaks-installed": lambda: conflicts.breaks_installed(
        NUMPY, AROUND, found(NUMPY), '%safeinstall "numpy>=2.0"'
    ),
    "breaks-installed-no-way": lambda: conflicts.breaks_installed(NUMPY, AROUND, found(NUMPY)),
    "kernel-stack": lambda: kernel_stack.kernel_stack(TRAITLETS, AROUND, found(TRAITLETS)),
    "kernel-stack-kept": lambda: kernel_stack.kernel_kept(FIRST, KEPT),
    "replaces-loaded": lambda: kernel_stack.replaces_loaded(NUMPY, at(loaded=(NUMPY_LOADED,))),
    "shared-environment": lambda: kernel_stack.shared_environment(
        NUMPY, at(kernels=(OtherKernel(pid=41), OtherKernel(pid=42)))
    ),
    "foreign-owner-conda": lambda: request.foreign_owner(
        NUMPY, at(owners={"numpy": Owner(who="conda", where="/c/conda-meta/numpy-2.3.3-0.json")})
    ),
    "foreign-owner-apt": lambda: request.foreign_owner(
        NUMPY, at(owners={"numpy": Owner(who="apt")})
    ),
    "builds-from-source": lambda: request.builds_from_source(intent("wants-it"), {"source-only"}),
    "builds-explicit": explicit_folder,
    "from-file-only": from_file,
    "not-typed": not_typed,
    "name-trap": lambda: request.name_trap(intent("sklearn cv2==4 pandas"), ()),
    "name-trap-slip": lambda: request.name_trap(intent("reqeusts"), ()),
    "name-trap-stdlib": stdlib_name_in_a_file,
    "shadowed": lambda: request.shadowed(
        NUMPY, at(shadows={"numpy": "/home/ana/proj/notebooks/numpy.py"})
    ),
    "local-build-replaced": lambda: request.local_build_replaced(TORCH, AROUND),
    "extra-index": lambda: request.extra_index(
        intent("x", sources=Sources(extra_index_urls=("https://ana:hunter22@one.example/simple",)))
    ),
    "unheeded-settings": lambda: unheeded("exclude-newer in script.py"),
    "unheeded-sources": lambda: unheeded("exclude-newer in s.py", "sources.torch in s.py"),
    "yanked": lambda: request.yanked(
        plan("six", change("six", None, "1.0"), yanked="broken metadata"), AROUND
    ),
    "prerelease": lambda: request.prerelease(
        plan("wants", change("early", None, "2.0b1", False)), AROUND
    ),
    "ephemeral-prefix": lambda: request.ephemeral_prefix(
        plan("six", prefix="/opt/conda", container={"hints": [], "ephemeral": True}),
        at(home_is_kept=True),
    ),
}


def outcome_of(finding: Finding) -> Outcome:
    status = {"refuse": "refused", "confirm": "needs-confirmation"}.get(finding.severity, "planned")
    return Outcome(
        status=status,  # type: ignore[arg-type]
        environment=environment(),
        destination=intent().destination,
        asked="%safeinstall it",
        findings=(finding,),
        live=True,
    )


@pytest.mark.parametrize("name", CASES)
def test_the_words_are_the_golden_ones(name: str) -> None:
    finding = CASES[name]()
    assert finding is not None
    text = as_text(outcome_message(outcome_of(finding))) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    assert "secret" not in text and "hunter22" not in text


@pytest.mark.parametrize("name", CASES)
def test_every_stop_ends_with_a_line_to_type(name: str) -> None:
    finding = CASES[name]()
    assert finding is not None
    [counted] = weigh([finding], intent("it"), {})
    assert counted.hint or not counted.stops


def test_strict_yes_and_policy_weigh_in_that_order() -> None:
    warning = Finding(code="x", severity=Severity.WARNING, message="w")
    question = replace(warning, severity=Severity.CONFIRM)
    refusal = replace(warning, severity=Severity.REFUSE)

    def severity(finding: Finding, line: str, **policy: Any) -> list[Severity]:
        return [each.severity for each in weigh([finding], intent(line), policy)]

    assert severity(warning, "a") == [Severity.WARNING]
    assert severity(warning, "--strict a") == [Severity.CONFIRM]
    assert severity(warning, "--strict --yes a") == [Severity.WARNING]
    assert severity(question, "--yes a") == [Severity.WARNING]
    assert severity(refusal, "--yes a") == [Severity.REFUSE]
    assert severity(refusal, "a", x=None) == []
    assert severity(question, "a", x=Severity.INFO) == [Severity.INFO]


HOSTILE = st.text(max_size=30).map(lambda text: f"<img src=x onerror=alert(1)>\x1b]0;t\x07{text}")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_metadata_is_only_text(name: str, version: str, requirement: str) -> None:
    installed = Snapshot((*INSTALLED.distributions, have(name, version, requirement, f"numpy<{0}")))
    around = EnvironmentState(visible=installed)
    said = conflicts.breaks_installed(NUMPY, around, violations_of(NUMPY, around))
    assert said is not None
    message = outcome_message(outcome_of(said))
    words = Words()
    words.feed(as_html(message))
    assert words.tags <= {"div", "span", "code", "details", "summary", "pre"}
    assert "\x1b" not in as_text(message, verbose=True)


@pytest.mark.parametrize(
    "line", ("pandas", '"pandas>=2" six', "-U --pre pandas", "--no-deps --force-reinstall pandas")
)
def test_a_line_that_only_names_packages_needs_no_question(line: str) -> None:
    assert request.not_typed(intent(line)) is None
