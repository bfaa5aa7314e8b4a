"""All guards together on the plan of five packages, in an environment of 200 distributions."""

# ruff: noqa: T201 (a measurement prints its figures)

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from safeinstall.distributions import Change, Changes, snapshot
from safeinstall.environment import Destination
from safeinstall.guards import examine, examine_plan
from safeinstall.guards.conflicts import violations_of
from safeinstall.installers import DryRun
from safeinstall.installers.sources import ResolvedRequest, Sources
from safeinstall.installers.uv import Uv
from safeinstall.metadata.distribution import InstalledState
from safeinstall.operations import Context
from safeinstall.operations.planning import plan_facts
from safeinstall.plan import InstallerChoice, Plan
from safeinstall.request import parse
from safeinstall.requirements import _name_of, parsed
from support.reports import environment

COUNT, REQUIREMENTS, ROUNDS = 200, 20, 15
STACK = ("numpy", "pandas", "matplotlib", "scikit-learn", "seaborn")


def populate(site: Path) -> None:
    """Write the metadata of 200 distributions that require one another, with extras and markers."""
    names = [*STACK, "ipykernel", *(f"package-{n}" for n in range(COUNT - len(STACK) - 1))]
    for position, name in enumerate(names):
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        lines = []
        for step in range(1, REQUIREMENTS + 1):
            other = names[(position + step * 7) % len(names)]
            extra = ' ; extra == "all"' if step > 6 else ""
            lines.append(f"Requires-Dist: {other}>=0.5,<3{extra}")
        header = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        (info / "METADATA").write_text(header + "\n".join(lines) + "\n\n" + "text\n" * 100)
        (info / "RECORD").write_text("".join(f"{name}/{n}.py,sha256=x,1\n" for n in range(50)))


def main() -> None:
    """Measure the CPU time of a first examination: nothing parsed before."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder, "env")
        here = environment(str(prefix))
        site = Path(here.paths.purelib)
        populate(site)
        request = parse(" ".join(STACK), cwd=folder)
        intent = ResolvedRequest(
            environment=here,
            request=request,
            sources=Sources(),
            redirections=(),
            destination=Destination.of(here),
        )
        context = Context(environment=here, live=True, environ={}, cwd=folder)
        plan = Plan(
            intent=intent,
            chosen=InstallerChoice(installer=Uv("uv"), version="", reason=""),
            changes=Changes.of(
                Change(name=name, before="1.0", after="2.0", requested=True) for name in STACK
            ),
            resolved=DryRun(arriving=()),
            installed=snapshot([str(site)]),
            state=InstalledState(()),
        )
        spent = []
        for _ in range(ROUNDS):
            parsed.cache_clear()
            _name_of.cache_clear()
            begun = time.process_time()
            examine(intent, set(plan.installed.by_key()))
            around = plan_facts(plan, context)
            examine_plan(plan, around, violations_of(plan, around))
            spent.append((time.process_time() - begun) * 1e3)
    print(
        f"all guards, {len(STACK)} packages planned, {COUNT} installed, Python "
        f"{sys.version_info[0]}.{sys.version_info[1]}: median {statistics.median(spent):.1f} ms "
        f"CPU (min {min(spent):.1f}, max {max(spent):.1f}, first {spent[0]:.1f}); goal 60 ms"
    )


if __name__ == "__main__":
    main()
