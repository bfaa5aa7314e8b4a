"""safeinstall: install packages into the environment of the running Jupyter kernel.

This file imports on Python 3.8 with the standard library alone, so that any interpreter can be
probed with the files of this package; every public name is resolved when first used.
"""

__version__ = "0.1.0"

__all__ = [
    "SafeInstallStopped",
    "__version__",
    "environment",
    "history",
    "install",
    "load_ipython_extension",
    "predict",
    "undo",
    "uninstall",
    "unload_ipython_extension",
]

_HOMES = {
    "environment": ("safeinstall.api", "environment"),
    "history": ("safeinstall.api", "history"),
    "install": ("safeinstall.api", "install"),
    "undo": ("safeinstall.api", "undo"),
    "uninstall": ("safeinstall.api", "uninstall"),
    "SafeInstallStopped": ("safeinstall.errors", "SafeInstallStopped"),
    "predict": ("safeinstall.probe", "predict"),
}


def __getattr__(name):  # type: ignore[no-untyped-def]
    """Resolve a public name on first use (PEP 562)."""
    if name in _HOMES:
        from importlib import import_module

        module, attribute = _HOMES[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'safeinstall' has no attribute {name!r}")


def __dir__():  # type: ignore[no-untyped-def]
    """List the public names, the unresolved ones too."""
    return sorted(__all__)


def load_ipython_extension(shell):  # type: ignore[no-untyped-def]
    """Register the magics with `shell` (what `%load_ext safeinstall` calls)."""
    from safeinstall import magics, watch

    magics.load(shell)
    watch.load(shell)


def unload_ipython_extension(shell):  # type: ignore[no-untyped-def]
    """Remove every trace of `load_ipython_extension` from `shell`."""
    from safeinstall import magics, watch

    watch.unload(shell)
    magics.unload(shell)
