"""Guards about where the install would go: refused before an installer is asked."""

from __future__ import annotations

from safeinstall.environment import Access, shown
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.ways import new_environment
from safeinstall.plan import Intent

__all__ = [
    "ambient_redirect",
    "browser",
    "externally_managed",
    "not_importable",
    "not_writable",
    "other_destination",
    "virtualenv_required",
]


def browser(intent: Intent) -> Finding | None:
    """Refuse where no process can be started (Pyodide): its own `%pip` is the way."""
    if intent.environment.kind != "pyodide":
        return None
    return Finding(
        code="no-processes",
        severity=Severity.REFUSE,
        message="This kernel runs in the browser, where installers cannot be started.",
        hint=(Suggestion(command=f"%pip install {_names(intent)}", note="the browser's own way"),),
    )


def externally_managed(intent: Intent) -> Finding | None:
    """Refuse an environment whose owner forbids installs (PEP 668)."""
    environment = intent.environment
    marker = environment.externally_managed
    if marker is None:
        return None
    debian = environment.kind == "debian-system"
    owner = "its packages belong to apt" if debian else "its packages have another owner"
    own = "Debian's own Python" if debian else environment.kind_words
    return Finding(
        code="externally-managed",
        severity=Severity.REFUSE,
        message=f"This kernel runs {own} ({environment.executable}); {owner}.",
        context=marker.message,
        hint=(new_environment(intent), *_apt(intent, debian)),
    )


def not_writable(intent: Intent) -> Finding | None:
    """Refuse an environment you may not write; never fall back to the user site."""
    access = intent.environment.locked
    if access is None:
        return None
    return Finding(
        code="not-writable",
        severity=Severity.REFUSE,
        message=f"You may not write into {intent.environment.label}, this kernel's environment.",
        context=_why(access),
        hint=(new_environment(intent, overlay=True), new_environment(intent)),
    )


def not_importable(intent: Intent) -> Finding | None:
    """Refuse a destination that is not on this interpreter's import path."""
    environment = intent.environment
    if environment.importable_destination():
        return None
    return Finding(
        code="not-importable",
        severity=Severity.REFUSE,
        message=f"This kernel does not import from {environment.paths.purelib}, "
        "where its packages are installed.",
        context="Its import path does not hold that folder (-S or PYTHONHOME?).",
        hint=(new_environment(intent),),
    )


def virtualenv_required(intent: Intent) -> Finding | None:
    """Obey pip's `require-virtualenv`: it says what this person wants, not where to install."""
    source = intent.sources.require_virtualenv
    if source is None or intent.environment.is_virtual:
        return None
    return Finding(
        code="virtualenv-required",
        severity=Severity.REFUSE,
        message=f"{source} asks for a virtual environment, and {intent.environment.label} is none.",
        hint=(new_environment(intent),),
    )


def other_destination(intent: Intent) -> Finding | None:
    """Refuse `--user` where this interpreter would not import what goes there.

    pip < 25.3 installs there all the same (facts P33, V34). The destination is the user site
    already when the interpreter looks at it.
    """
    if not intent.request.user or _is_user_site(intent):
        return None
    environment = intent.environment
    why = (
        f"{environment.label} is a virtual environment, which does not look at it"
        if environment.is_virtual
        else "it is switched off for this kernel (PYTHONNOUSERSITE, -s or -I)"
    )
    return Finding(
        code="other-destination",
        severity=Severity.REFUSE,
        message="--user would install where this kernel does not look: into "
        f"{shown(environment.user_site.path or 'the user site', environment.home)}.",
        context=f"About the user site: {why}.",
        hint=(Suggestion(command=intent.line(user=False), note="into the environment"),),
    )


def user_site_leaks(intent: Intent) -> Finding | None:
    """Say what the user site is, when it was asked for and is the destination."""
    if not intent.request.user or not _is_user_site(intent):
        return None
    python = intent.environment.python
    return Finding(
        code="user-site-leaks",
        severity=Severity.WARNING,
        message=f"Every Python {python} of yours that looks at the user site now sees this, other "
        "projects' too, and imports it in front of its own packages.",
    )


def system_changed(intent: Intent) -> Finding | None:
    """Say what `--break-system-packages` does, when it was typed."""
    if not intent.request.break_system_packages or intent.request.user:
        return None
    return Finding(
        code="system-changed",
        severity=Severity.WARNING,
        message=f"Programs of the operating system that use {intent.environment.executable} see "
        f"what is now in {intent.environment.paths.purelib}.",
    )


def _is_user_site(intent: Intent) -> bool:
    environment = intent.environment
    return bool(environment.user_site.enabled) and (
        environment.paths.purelib == environment.user_site.path
    )


def ambient_redirect(intent: Intent) -> Finding | None:
    """Name the settings that would have moved a plain install, and that are not obeyed."""
    home = intent.environment.home
    moved = [
        redirection
        for redirection in intent.redirections
        if not intent.environment.is_named_by(redirection.value)
    ]
    if not moved:
        return None
    named = ", ".join(f"{item.name}={shown(item.value, home)}" for item in moved)
    return Finding(
        code="ambient-redirect",
        severity=Severity.INFO,
        message=f"Not obeyed, because it would install elsewhere: {named}.",
    )


def _why(access: Access) -> str:
    detail = access.detail.strip()
    return detail if not detail or detail.endswith(".") else detail + "."


def _names(intent: Intent) -> str:
    return " ".join(item.name or item.text for item in intent.request.items)


def _apt(intent: Intent, debian: bool) -> tuple[Suggestion, ...]:
    names = [item.name for item in intent.request.items if item.name]
    if not debian or not names:
        return ()
    packages = " ".join(f"python3-{name}" for name in names)
    return (
        Suggestion(command=f"sudo apt install {packages}", note="Debian's version, machine-wide"),
    )
