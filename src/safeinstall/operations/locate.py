"""A request meets an environment: its sources, and what would have led elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from safeinstall.environment import Environment
from safeinstall.installers.sources import Sources, redirections
from safeinstall.plan import Destination, Intent
from safeinstall.probe.rules.pip_settings import effective_settings, read_pip_settings
from safeinstall.request import Request

__all__ = ["intend"]

_PROBE_SECONDS = 30.0


def intend(
    request: Request,
    environment: Environment,
    environ: Mapping[str, str],
    prefix: str = "%safeinstall",
    settings_prefix: str = "",
) -> Intent:
    """Return the request as it meets the environment: sources merged, redirections named.

    `settings_prefix`: the prefix whose pip configuration counts, the environment's own if empty.
    """
    place = settings_prefix or environment.prefix
    read = read_pip_settings(environ, place, environment.home or None)
    settings = tuple(effective_settings(read).values())
    return Intent(
        environment=environment,
        request=request,
        sources=Sources.merged(settings, request, environ),
        redirections=redirections(environ, settings),
        destination=Destination.of(environment),
        prefix=prefix,
    )
