"""Where an installer may look for packages: pip's own settings and the typed options, merged.

`%safeinstall` honours what says *where packages come from* (index, certificate, proxy, constraint
...) and neutralises what says *where they go* (target, prefix, user ...), whichever installer
does the work. pip's order of option sources is the probe's business (`probe/rules/pip_settings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from safeinstall.environment import Destination, Environment
from safeinstall.frontend import NOTEBOOK, Frontend, credentials
from safeinstall.installers.uv_settings import EXCLUDE_NEWER
from safeinstall.request import InstallRequest
from safeinstall.request.cutoff import NO_CUTOFF, Cutoff, earliest

REDIRECTING_VARIABLES: Final = (
    *["PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT", "PIP_PYTHON", "PIP_NO_USER", "UV_PYTHON"],
    *[
        "UV_SYSTEM_PYTHON",
        "UV_TARGET",
        "UV_PREFIX",
        "UV_PROJECT_ENVIRONMENT",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
    ],
)
"""Variables by which pip, uv or IPython would install elsewhere (destinations.md A0, A1, A4)."""

REDIRECTING_KEYS: Final = frozenset({"target", "prefix", "user", "root", "python", "no-user"})
_LIMITING: Final = ("constraint-dependencies",)
_OVERRIDING_VARIABLES: Final = ("UV_OVERRIDE", "UV_EXCLUDE")
_OVERRIDING: Final = ("override-dependencies", "exclude-dependencies")
"""Keys of uv's files (its reference of settings), and the variables for the same."""
_TRUE: Final = frozenset({"y", "yes", "t", "true", "on", "1"})
_CERTIFICATES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where pip's HTTP library takes certificates from before it looks at pip's own `cert`
(requests: `Session.merge_environment_settings`); uv knows neither."""


class Setting(Protocol):
    """One option pip would take from a variable or a configuration file."""

    @property
    def key(self) -> str:
        """Option name without dashes in front, for example `index-url`."""
        ...

    @property
    def value(self) -> str:
        """The raw text."""
        ...

    @property
    def source(self) -> str:
        """Where it stands: a file, or `environment variable PIP_X`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Redirection:
    """One ambient setting that would move an install, and is not obeyed."""

    name: str
    """`PIP_TARGET`, or `target in /etc/pip.conf`."""
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Everything that decides where packages come from."""

    index_url: str | None = None
    index_typed: bool = False
    """True when the index was typed with this request (it then wins over UV_* variables)."""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    constraints: tuple[str, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()
    """Each file of constraints, and where it was named: `-c`, a variable, or a key and a file."""
    unreadable: tuple[str, int] | None = None
    """A file of pip's settings that pip would refuse, and its line."""
    hashes_required: str = ""
    """The setting that asks for a hash of everything (pip's `require-hashes`, or uv's)."""
    limiting: tuple[str, ...] = ()
    """Where uv's own files hold constraints (`constraint-dependencies`)."""
    overriding: tuple[str, ...] = ()
    """Settings of uv that put something else in the place of what is asked for, or leave it out."""
    cutoff: Cutoff | None = None
    """No file uploaded later is taken."""
    cutoff_lifted: bool = False
    """Whatever the settings say, nothing is held back."""
    package_cutoffs: tuple[tuple[str, Cutoff | None], ...] = ()
    """Packages with one of their own, or with none; pip knows no such thing."""
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    trusted_hosts: tuple[str, ...] = ()
    timeout: str | None = None
    retries: str | None = None
    pre: bool = False
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    keyring_provider: str | None = None
    require_virtualenv: str | None = None
    """The source that asks for `require-virtualenv`, or None."""
    typed_secrets: tuple[str, ...] = ()
    """What is secret in the request itself."""
    symlinks: bool = False
    """uv is told to fill environments with links into its cache (`link-mode`)."""

    @classmethod
    def merged(
        cls,
        settings: Iterable[Setting],
        request: InstallRequest,
        environ: Mapping[str, str] = MappingProxyType({}),
        uv: Mapping[str, Setting] = MappingProxyType({}),
    ) -> Sources:
        """Merge pip's settings with the request: what was typed replaces or extends them.

        pip: single values are replaced by the command line, lists extended (`optparse` append).
        Paths come out absolute, read as pip reads them: uv knows no `~`, and pip is run elsewhere.
        `uv`: its own settings, by key.
        """
        ambient = {setting.key: setting for setting in settings if setting.value.strip()}

        def one(key: str) -> str | None:
            return ambient[key].value.strip() if key in ambient else None

        def many(key: str) -> tuple[str, ...]:
            return tuple(ambient[key].value.split()) if key in ambient else ()

        def names(key: str) -> tuple[str, ...]:
            return tuple(name for word in many(key) for name in word.split(",") if name)

        def yes(key: str) -> bool:
            return (one(key) or "").lower() in _TRUE

        def file(path: str | None) -> str | None:
            return str(Path(request.cwd, Path(path).expanduser())) if path else None

        links = (_located(link, request.cwd, home=True) for link in many("find-links"))
        limits = {
            **{path: _origin(ambient["constraint"]) for path in many("constraint")},
            **dict.fromkeys(environ.get("UV_CONSTRAINT", "").split(), "UV_CONSTRAINT"),
        }
        origins = {_located(path, request.cwd): origin for path, origin in limits.items()}
        origins |= dict.fromkeys(request.constraint_files, "-c")
        origins = {} if request.locked else origins  # uv takes none beside a lock, which has all
        certificates = (environ[name] for name in _CERTIFICATES if environ.get(name))
        cutoff, package_cutoffs = _cutoffs(request, ambient.get("uploaded-prior-to"), uv)
        hashes = (
            "UV_REQUIRE_HASHES" if environ.get("UV_REQUIRE_HASHES", "").lower() in _TRUE else ""
        )
        required = ambient["require-virtualenv"] if yes("require-virtualenv") else None
        sources = cls(
            index_url=request.index_url or one("index-url"),
            index_typed=bool(request.index_url),
            extra_index_urls=(*many("extra-index-url"), *request.extra_index_urls),
            find_links=(*(link for link in links if not _missing(link)), *request.find_links),
            no_index=request.no_index or yes("no-index"),
            constraints=tuple(origins),
            origins=tuple(origins.items()),
            hashes_required=_origin(ambient["require-hashes"]) if yes("require-hashes") else hashes,
            limiting=tuple(uv[key].source for key in _LIMITING if key in uv),
            overriding=tuple(
                [name for name in _OVERRIDING_VARIABLES if environ.get(name)]
                + [uv[key].source for key in _OVERRIDING if key in uv]
            ),
            cutoff=cutoff,
            package_cutoffs=package_cutoffs,
            cert=file(next(certificates, None) or one("cert")),
            client_cert=file(one("client-cert")),
            proxy=one("proxy"),
            trusted_hosts=(*many("trusted-host"), *request.trusted_hosts),
            timeout=one("timeout") or one("default-timeout"),
            retries=one("retries"),
            pre=request.pre or yes("pre"),
            only_binary=names("only-binary"),
            no_binary=names("no-binary"),
            keyring_provider=one("keyring-provider"),
            require_virtualenv=required.source if required else None,
            typed_secrets=request.secrets,
            symlinks="link-mode" in uv and uv["link-mode"].value.lower() == "symlink",
        )
        return sources.without_cutoff() if request.uploaded_prior_to == NO_CUTOFF else sources

    @property
    def may_build(self) -> bool:
        """True when an installer may run the code of packages to make wheels of them."""
        return ":all:" not in self.only_binary or bool(self.no_binary)

    def without_cutoff(self) -> Sources:
        """Return the same with nothing held back."""
        packages = tuple((name, None) for name, _ in self.package_cutoffs)
        return replace(self, cutoff=None, cutoff_lifted=True, package_cutoffs=packages)

    @property
    def cuts_packages(self) -> bool:
        """True when a package has a stricter cut-off than all others."""
        return any(
            own is not None and earliest(self.cutoff, own) is own
            for _, own in self.package_cutoffs
            if own != self.cutoff
        )

    def arguments(self, trusted: str) -> list[str]:
        """Return the sources that stand on a command line; `trusted` names the host option."""
        argv = ["--no-index"] if self.no_index else []
        for option, values in (
            ("--find-links", self.find_links),
            ("--constraint", self.constraints),
            (trusted, self.trusted_hosts),
            ("--only-binary", self.only_binary),
            ("--no-binary", self.no_binary),
        ):
            argv += [part for value in values for part in (option, value)]
        return argv

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is secret in the URLs, so that every text we keep can be cleared of it."""
        urls = (self.index_url or "", *self.extra_index_urls, *self.find_links, self.proxy or "")
        known = (secret for url in (*urls, *self.constraints) for secret in credentials(url))
        return tuple(dict.fromkeys((*self.typed_secrets, *known)))


def redirections(
    environ: Mapping[str, str], settings: Iterable[Setting]
) -> tuple[Redirection, ...]:
    """List the ambient settings that would move a plain install elsewhere, variables first."""
    found = [
        Redirection(name=name, value=environ[name])
        for name in REDIRECTING_VARIABLES
        if environ.get(name) and not _off(name, environ[name])
    ]
    found += [
        Redirection(name=f"{setting.key} in {setting.source}", value=setting.value)
        for setting in settings
        if setting.key in REDIRECTING_KEYS
        and setting.value.strip()
        and not setting.source.startswith("environment variable")
        and not (setting.key == "user" and setting.value.strip().lower() not in _TRUE)
    ]
    return tuple(found)


def _off(name: str, value: str) -> bool:
    return name in ("PIP_USER", "UV_SYSTEM_PYTHON") and value.strip().lower() not in _TRUE


def _origin(setting: Setting) -> str:
    """Return the name of the variable, or the key and the file."""
    variable = setting.source.removeprefix("environment variable ")
    return variable if variable != setting.source else f"{setting.key} in {setting.source}"


def _cutoffs(
    request: InstallRequest, of_pip: Setting | None, uv: Mapping[str, Setting]
) -> tuple[Cutoff | None, tuple[tuple[str, Cutoff | None], ...]]:
    """Return the cut-off that holds, and those of single packages.

    A typed one replaces all; else the strictest of pip's, uv's and the files' holds, whichever does
    the work, and what uv is told of one package gives way to pip's, which is about all of them.
    """
    typed = request.uploaded_prior_to
    bound = Cutoff.of_pip(typed, "--uploaded-prior-to") if typed else None
    if not bound and of_pip:
        bound = Cutoff.of_pip(of_pip.value.strip(), _origin(of_pip))
    if not typed:
        files = (Cutoff.of_uv(text, source) for text, source in request.cutoffs)
        bound = earliest(bound, *files)
    own = {
        key: Cutoff.of_uv(each.value, each.source) if each.value != "false" else None
        for key, each in uv.items()
        if key.startswith(EXCLUDE_NEWER)
    }
    held = {key: bound if typed else earliest(bound, each) for key, each in own.items()}
    packages = {
        canonicalize_name(name): each
        for key, each in held.items()
        if (name := key.partition(".")[2])
    }
    return held.get(EXCLUDE_NEWER, bound), tuple(packages.items())


def _located(place: str, cwd: str, *, home: bool = False) -> str:
    """Return a URL as it is, and a path as an absolute one; `home`: `~` is the home directory."""
    if len(urlsplit(place).scheme) > 1:  # one letter is a drive
        return place
    return str(Path(cwd, Path(place).expanduser() if home else place))


def _missing(link: str) -> bool:
    """Tell whether an ambient find-links names a local folder that is not there (pip warns)."""
    parts = urlsplit(link)
    if parts.scheme == "file":
        return not Path(unquote(parts.path)).exists()
    return len(parts.scheme) < 2 and not Path(link).exists()


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedRequest:
    """A request that has met an environment, before any installer was asked."""

    environment: Environment
    request: InstallRequest
    sources: Sources
    redirections: tuple[Redirection, ...]
    destination: Destination
    frontend: Frontend = NOTEBOOK
    """Where it was typed, and a line to type is shown."""

    def line(self, **changes: Any) -> str:
        """Return the request as the line to type, with `changes` to it."""
        return self.request.line(self.frontend, json=False, **changes)
