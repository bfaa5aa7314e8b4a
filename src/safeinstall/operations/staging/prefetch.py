"""Work ahead while an index is asked: stage what the caches alone would give.

An index takes far longer to answer than it takes to unpack what it will most likely say. So uv is
asked without the network first; what that suggests is staged and inspected in a thread while uv
asks the index, whose answer alone counts. If it is the same plan, it lies ready; if not, it is
thrown away. Nothing is built, nothing is moved, nobody is asked.

The order matters: uv locks what it knows of a package for as long as it asks the index about it
(uv-client, `cached_client.rs`), so the thread gets the start that it needs to read the caches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from safeinstall.command import Command
from safeinstall.operations.context import silent
from safeinstall.operations.planning.resolver import Resolver
from safeinstall.operations.staging.stage import StagedPlan, stage
from safeinstall.plan import Plan
from safeinstall.runner import Completed

__all__ = ["Prefetch"]

_START: Final = 0.5
"""Seconds that reading the caches may keep the index waiting."""


class Prefetch:
    """A thread that stages a guess; use it in a `with` block, which leaves nothing behind."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._stop = threading.Event()
        self._has_read = threading.Event()
        self._staged: StagedPlan | None = None
        self._thread: threading.Thread | None = None
        if _is_promising(resolver):
            self._thread = threading.Thread(
                target=self._work, name="safeinstall-prefetch", daemon=True
            )

    def __enter__(self) -> Prefetch:
        if self._thread is not None:
            try:
                self._thread.start()
            except BaseException:  # an interrupt: it may have begun, and nobody will wait for it
                self._stop.set()
                raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop whatever is still going on, and let go of what was not taken."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._let_go()

    def get_its_start(self) -> None:
        """Wait, not for long, until the caches have been read."""
        if self._thread is not None:
            self._has_read.wait(_START)

    def take(self, plan: Plan) -> StagedPlan | None:
        """Return what was staged if it is exactly this plan; it is the caller's from then on.

        The same version may be another file now: of another index, built again, or put in the
        place of the first. What the caches gave is none of what has to be downloaded.
        """
        if self._thread is None or plan.resolved.downloads:
            return None
        self._thread.join()
        staged = self._staged
        if staged is None or not _same(staged.plan, plan):
            return None
        self._staged = None
        return replace(staged, plan=plan)

    def _work(self) -> None:
        try:
            wheels = self._resolver.with_sources(only_binary=(":all:",))
            plan = self._running(wheels, silent).dry_run(from_cache=True)
            if plan.changes:
                staging = self._running(wheels, self._hear)
                self._staged = stage(plan, staging, wait=False, from_cache=True)
        except (Exception, KeyboardInterrupt):
            pass  # whatever it is, it meets the plan as well, which says so; nothing is lost here
        finally:
            self._has_read.set()
        if self._stop.is_set():  # a second interrupt may have come while we were waited for
            self._let_go()

    def _let_go(self) -> None:
        staged, self._staged = self._staged, None
        if staged is not None:
            staged.__exit__(None, None, None)

    def _running(self, resolver: Resolver, on_line: Callable[[str], None]) -> Resolver:
        context = resolver.context

        def run(command: Command, **options: Any) -> Completed:
            return context.run(command, **{**options, "on_line": on_line, "stop": self._stop})

        return replace(resolver, context=replace(context, progress=silent, run=run))

    def _hear(self, line: str) -> None:
        if self._resolver.chosen.installer.has_read_caches(line):
            self._has_read.set()


def _is_promising(resolver: Resolver) -> bool:
    """Tell whether the network will be asked, and whether the caches could know as much."""
    intent = resolver.intent
    request = intent.request
    plain = all(item.kind == "named" and not item.hashes for item in request.items)
    elsewhere = request.user or request.break_system_packages
    built = intent.sources.no_binary or request.allow_builds
    asks = resolver.chosen.installer.plans_from_cache and not intent.sources.no_index
    return plain and asks and not (request.dry_run or request.force_reinstall or elsewhere or built)


def _same(guess: Plan, plan: Plan) -> bool:
    return (
        guess.changes == plan.changes
        and guess.state == plan.state
        and {(r.name, r.version, r.url) for r in guess.resolved.arriving}
        == {(r.name, r.version, r.url) for r in plan.resolved.arriving}
    )
