"""What staged files reveal before any of them comes into the environment.

They lie unpacked beside it and nobody uses them yet: now it can be seen what no index and no
metadata says.

An installer that links files from its cache brings the same files each time. Once they were held
against their RECORD they need not be read again: hashing five scientific packages takes as long as
all the rest of their installation. Files that are copies are hashed each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from safeinstall.distributions import Staged, StagedDistribution
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.installers import CHECKOUTS
from safeinstall.metadata.distribution import normalized
from safeinstall.metadata.record import RecordRow, digest
from safeinstall.request import RequestItem

MAX_BYTES: Final = 10 * 2**30
_SCRIPT_FOLDERS: Final = ("bin", "Scripts")
_RESERVED_SCRIPT: Final = re.compile(
    r"(python[\d.]*[tdw]?(-config)?|python[\d.]*\._pth|pypy[\d.]*|pip[\d.]*|(de)?activate([._].+)?)(\.exe)?",
    re.IGNORECASE,
)
_CODE: Final = ("import ", "import\t")
_SITE_FOLDERS: Final = ("site-packages", "dist-packages")
_CUSTOMIZE: Final = re.compile(
    r"(?P<module>(?:site|user)customize)(?:\.(?:py|pyc|pyw)|(?:\.[\w-]+)*\.(?:so|pyd)|/__init__\..+)"
)
_NAMESPACE: Final = re.escape(
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1)"
    ".f_locals['sitedir'], *(PARTS));importlib = has_mfs and __import__('importlib.util');has_mfs "
    "and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('NAME', importlib"
    ".util.module_from_spec(importlib.machinery.PathFinder.find_spec('NAME', [os.path.dirname(p)]"
    ")));m = m or sys.modules.setdefault('NAME', types.ModuleType('NAME'));mp = (m or []) and m"
    ".__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)"
)
_KNOWN_STARTUP: Final = (
    ("", _NAMESPACE.replace("PARTS", r"[\w', ]+").replace("NAME", r"[\w.]+")
     + r"(?:;m and setattr\(sys\.modules\['[\w.]+'\], '\w+', m\))?"),
    ("setuptools", re.escape(
        "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == "
        "'local'; enabled and __import__('_distutils_hack').add_shim();"
    )),
    ("coloredlogs", re.escape(
        'import os; exec(\'try: __import__("coloredlogs").auto_install() if os.environ.get("'
        'COLOREDLOGS_AUTO_INSTALL") else None\\nexcept ImportError: pass\')'
    )),
    ("coverage", re.escape(
        "import sys; exec('import os\\n\\nif os.getenv(\"COVERAGE_PROCESS_START\") or os.getenv(\""
        'COVERAGE_PROCESS_CONFIG"):\\n try:\\n  import coverage\\n except:\\n  pass\\n else:\\n  '
        'coverage.process_startup(slug="pth")\')'
    )),
)  # fmt: skip
"""Whose lines they are that do no harm, as they write them; "" where no other code is called."""
_SUSPICIOUS: Final = 100 * 2**20
_SAMPLE: Final = 2**18
_SAMPLES: Final = 4
_RATIO: Final = 500
"""Deflate ends at 1032:1; weights, libraries and tables stay below 50:1."""
_SEALS_LIMIT: Final = 1 << 20
"""Bytes of the file of seals, some sixteen thousand; beyond that it begins anew."""
_EXTRAS: Final = re.compile(r"\[([\w\s,.-]+)\]$")
_USED: Final = re.compile(r"\bextra\s*==\s*[\"']([^\"']+)")
_CAREFUL: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Not through a link, and not waiting for whoever writes to a pipe."""


def _seal(files: Iterable[tuple[str, str, str]]) -> str:
    """Return one text for files: each by its name, what RECORD promises, and its identity."""
    state = hashlib.sha256()
    for name, promised, identity in sorted(files):
        state.update(f"/{name}\0{promised}\0{identity}\n".encode(errors="surrogateescape"))
    return state.hexdigest()


class Verified:
    """A file of seals, private to its user; without it everything is hashed, and nothing is lost.

    Reading and writing never fail: a file that others could have written counts as empty.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seals: set[str] | None = None

    def __contains__(self, item: str) -> bool:
        if self._seals is None:
            self._seals = set(self._read().split())
        return item in self._seals

    def add(self, items: Iterable[str]) -> None:
        """Remember that what these seals stand for is as promised."""
        if not (new := "".join(f"{item}\n" for item in items).encode()):
            return
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)  # noqa: PTH103
            start_anew = len(self._read()) > _SEALS_LIMIT
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if start_anew else os.O_APPEND)
            descriptor = os.open(self._path, flags | _CAREFUL, 0o600)
            try:
                if _is_private(descriptor):
                    os.write(descriptor, new)
            finally:
                os.close(descriptor)

    def _read(self) -> str:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | _CAREFUL)
        except OSError:
            return ""
        try:
            if not _is_private(descriptor):
                return ""
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read().decode("ascii", "replace")
        except OSError:
            return ""
        finally:
            os.close(descriptor)


def _is_private(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def examine(
    staged: Staged,
    *,
    verified: Verified | None = None,
    max_bytes: int = MAX_BYTES,
    frontend: Frontend = NOTEBOOK,
    editable: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return what is to be said of the staged files, the gravest kinds first; they are read once.

    `verified`: what was hashed before; grows by what is found true.
    What to do with the request is said by whoever knows it; `frontend` is where the line is typed
    that takes away what is in the way, `editable` the names that were asked for as editable: these
    have code that leads to them.
    """
    twice = _brought_twice(staged.distributions)
    return (
        *_escapes(staged),
        *_record_check(staged, twice, verified),
        *_collisions(staged, twice, frontend),
        *_reserved(staged.distributions),
        *_startup(staged, editable),
        *_size(staged.distributions, max_bytes),
        *zip_bombs(staged.root, staged.sizes),
    )


def _escapes(staged: Staged) -> Iterator[Finding]:
    """Refuse whatever would lead out of the environment: RECORD lines, links, linked folders."""
    for each in staged.distributions:
        if each.outside:
            files = _some(each.outside, verb="")
            message = f"{each.name} {each.version} would put {files} outside the environment."
            yield Finding.refuse("escapes-prefix", message)
    for name, target in staged.links.items():
        message = f"{name} is a symbolic link to {target}; packages bring files, not links."
        yield Finding.refuse("escapes-prefix", message)
    for message in staged.escapes:
        yield Finding.refuse("escapes-prefix", message)


def climbing(wheels: Iterable[str]) -> Iterator[Finding]:
    """Refuse wheels with members that lead out of where they are unpacked.

    pip refuses them itself; uv leaves such a member out, heals RECORD, and says nothing
    (`validate_and_heal_record`). What came from an index is in uv's cache without them.
    """
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                names = archive.namelist()
        except (OSError, zipfile.BadZipFile, ValueError):
            continue  # whoever unpacks it says so
        odd = [n for n in names if n.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", n)]
        odd += [name for name in names if re.match(r"[A-Za-z]:", name) and name not in odd]
        if odd:
            message = (
                f"{os.path.basename(wheel)} holds {_some(odd, verb='')}, which leads out of it."
            )
            yield Finding.refuse("escapes-prefix", message)


def _record_check(
    staged: Staged, twice: Collection[str], verified: Verified | None
) -> Iterator[Finding]:
    """Compare every RECORD with what is staged; the files in `twice` are judged elsewhere."""
    differing = _differing(staged, twice, verified)
    listed: set[str] = set()
    for each in staged.distributions:
        who = f"{each.name} {each.version}"
        if each.problem:
            yield Finding.refuse("record-mismatch", f"{who}: {each.problem}")
            continue
        listed.update(each.files)
        wrong = [row.path for name, row in each.files.items() if name in differing]
        absent = [row.path for name, row in each.files.items() if name not in staged.sizes]
        missing = [*each.outside, *absent]
        if wrong:
            message = f"{who}: {_some(wrong)} not what its RECORD says (size or hash differ)."
            why = "The package is damaged or was tampered with."
            yield Finding.refuse("record-mismatch", message, context=why)
        if missing:
            lists = f"{who}: its RECORD lists {_some(missing, verb='')}"
            yield Finding.warn("record-mismatch", f"{lists} which the package does not contain.")
    unlisted = staged.sizes.keys() - listed
    own = f"{CHECKOUTS}/"  # no RECORD lists what lies there
    stray = sorted(n for n in unlisted if not n.endswith(".pyc") and not n.startswith(own))
    if stray:
        files = _some([os.path.basename(name) for name in stray])
        message = f"{files} in no RECORD; it is installed and undone with the rest."
        yield Finding.warn("record-mismatch", message)


def _differing(staged: Staged, twice: Collection[str], verified: Verified | None) -> set[str]:
    """Return the names of the files whose size or content is another than promised."""
    differing: set[str] = set()
    unread: dict[str, RecordRow] = {}
    seals: dict[str, set[str]] = {}
    for each in staged.distributions:
        pending: dict[str, RecordRow] = {}
        for name, row in each.files.items():
            if (size := staged.sizes.get(name)) is None or name in twice:
                continue
            if row.size is not None and size != row.size:
                differing.add(name)
            elif row.digest:
                pending[name] = row
        linked = pending.keys() & staged.linked.keys()
        if verified is not None and linked:
            seal = _seal((name, pending[name].digest, staged.linked[name]) for name in linked)
            if seal in verified:
                pending = {name: row for name, row in pending.items() if name not in linked}
            else:
                seals[seal] = linked
        unread |= pending
    differing |= _misread(staged.root, unread)
    if verified is not None:
        verified.add(seal for seal, linked in seals.items() if linked.isdisjoint(differing))
    return differing


def _misread(root: str, unread: Mapping[str, RecordRow]) -> set[str]:
    # Hashing is most of the work of an inspection, and Python lets go of its lock for it.
    names = sorted(unread)
    workers = min(4, os.cpu_count() or 1, len(names))

    def judge(first: int) -> list[str]:
        return [n for n in names[first::workers] if not _agrees(os.path.join(root, n), unread[n])]

    if workers < 2:
        return set(judge(0)) if names else set()
    with ThreadPoolExecutor(workers) as pool:
        return {name for part in pool.map(judge, range(workers)) for name in part}


def _agrees(path: str, row: RecordRow) -> bool:
    try:
        return digest(path, row.algorithm) == row.digest
    except ValueError:
        return True  # a hash this Python does not know says nothing


def unknown_extra(
    items: Iterable[RequestItem], distributions: Iterable[StagedDistribution]
) -> Finding | None:
    """Say which extra was asked for that a distribution does not have: it comes without.

    pip and uv go on with a warning. Metadata that names none (`Provides-Extra`) may use some.
    """
    staged = {normalized(each.name): each for each in distributions}
    for item in items:
        bracket = _EXTRAS.search(item.text)
        typed = bracket[1].split(",") if bracket else []
        asked = sorted(item.requirement.extras if item.requirement else typed)
        if not asked or (each := staged.get(item.name or "")) is None:
            continue
        known = {*each.info.extras, *map(normalized, _USED.findall(" ".join(each.info.requires)))}
        if lacked := [extra for extra in asked if normalized(extra.strip()) not in known]:
            words = f"{each.name} {each.version} has no extra {lacked[0]}, and comes without it."
            more = f" It has {some(sorted(known), 6)}." if known else ""
            return Finding.warn("extra-unknown", words + more)
    return None


def _brought_twice(distributions: Iterable[StagedDistribution]) -> dict[str, dict[str, str]]:
    """Return the files that several distributions list: who, and which content each means."""
    seen: dict[str, dict[str, str]] = {}
    for each in distributions:
        for name, row in each.files.items():
            seen.setdefault(name, {})[each.name] = row.digest
    return {name: by for name, by in seen.items() if len(by) > 1}


def _collisions(
    staged: Staged, twice: Mapping[str, Mapping[str, str]], frontend: Frontend
) -> Iterator[Finding]:
    """Name the files in the way: somebody's (refuse), nobody's, or staged by two (confirm)."""
    for owner, files in sorted(_grouped(staged.collisions).items()):
        there = f"{_some(files)} already there and belong{'s' if len(files) == 1 else ''}"
        if owner:
            bring = (each.name for each in staged.distributions if {*files} & each.files.keys())
            message = f"{there} to {owner}; {' and '.join(bring)} would write over {owner}."
            line = frontend.line("uninstall", owner)
            way = Suggestion(line, f"takes {owner} away; then the same line again")
            yield Finding.refuse("file-collision", message, way)
        else:
            message = f"{there} to no installed distribution."
            why = "It would be set aside, and undo would put it back."
            yield Finding.ask("file-collision", message, context=why)
    apart = ((name, by) for name, by in sorted(twice.items()) if len({*by.values()}) > 1)
    different = {name: " and ".join(by) for name, by in apart}
    for who, files in sorted(_grouped(different).items()):
        message = f"{who} both bring {_some(files, verb='')} with different contents."
        why = "Only one of them can be complete."
        yield Finding.ask("file-collision", message, context=why)


def _grouped(by_file: Mapping[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for file, key in by_file.items():
        groups.setdefault(key, []).append(file)
    return groups


def _reserved(distributions: Iterable[StagedDistribution]) -> Iterator[Finding]:
    """Refuse scripts that would take the place of the interpreter, pip or the activation."""
    for each in distributions:
        for name in each.files:
            folder, _, file = name.rpartition("/")
            script = folder in _SCRIPT_FOLDERS and _RESERVED_SCRIPT.fullmatch(file)
            if not (script or name == "pyvenv.cfg"):
                continue
            if file.lower().startswith("pip") and normalized(each.name) == "pip":
                continue
            brings = f"{each.name} {each.version} brings {name}, which would replace"
            yield Finding.refuse("reserved-script", f"{brings} a part of the environment itself.")


def _startup(staged: Staged, editable: Collection[str]) -> Iterator[Finding]:
    """Name what would run, or change the search path, at the start of every later Python.

    By Python's own rules (`Lib/site.py`: `addpackage`, `execsitecustomize`), whoever lists the
    files, and as every version reads them: since 3.13 a `.pth` is split where `str.splitlines` does
    and may begin with a byte order mark, before that where files are.
    """
    brings = {name: each for each in staged.distributions for name in each.files}
    folders = {name.rpartition("/")[0] for name in staged.sizes}
    added: set[str] = set()
    for name in sorted(staged.sizes):
        folder, _, file = name.rpartition("/")
        if not file.endswith(".pth") or folder.rpartition("/")[2] not in _SITE_FOLDERS:
            continue
        owner, lines = brings.get(name), _lines(os.path.join(staged.root, name))
        who = _called(owner)
        paths = [line for line in lines if not line.startswith((*_CODE, "#")) and line.strip()]
        added |= {os.path.normpath(os.path.join(folder, line.strip())) for line in paths}
        if code := [line.strip() for line in lines if line.startswith(_CODE)]:
            known = owner is not None and (
                normalized(owner.name) in editable or all(_is_known(line, owner) for line in code)
            )
            message = f"{who} brings {file}, which runs code at the start of every Python here."
            weigh = Finding.remark if known else Finding.ask
            yield weigh("startup-code", message, context=code[0][:200])
        elif paths:
            listed = ", ".join(line.strip() for line in paths[:3])
            message = f"{who} adds to the search path of every Python here: {listed}"
            yield Finding.remark("startup-code", message, context=file)
    for name in sorted(staged.sizes):
        above, _, file = name.rpartition("/")
        beyond, _, last = above.rpartition("/")
        for folder, rest in ((above, file), (beyond, f"{last}/{file}")):
            found, inmost = _CUSTOMIZE.fullmatch(rest), folder.rpartition("/")[2]
            reads = inmost in _SITE_FOLDERS or inmost.startswith("python3") or folder in added
            if found and reads:
                brought = f"{_called(brings.get(name))} brings {found['module']}"
                message = f"{brought}, which runs at the start of every Python here."
                yield Finding.ask("startup-code", message)
    for folder in sorted(added - folders):
        if module := _customize_in(os.path.join(staged.root, folder)):
            message = f"{folder} comes to the search path, and its {module} runs at the start of"
            yield Finding.ask("startup-code", f"{message} every Python here.")


def _called(owner: StagedDistribution | None) -> str:
    return f"{owner.name} {owner.version}" if owner else "What is unpacked"


def _is_known(line: str, owner: StagedDistribution) -> bool:
    """Tell whether a line is that of a well-known tool."""
    return any(
        name in ("", normalized(owner.name)) and re.fullmatch(known, line)
        for name, known in _KNOWN_STARTUP
    )


def _lines(path: str) -> list[str]:
    """Return the lines of a `.pth` in every way that a Python may split it."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read().removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return []
    texts = (content.decode("utf-8", "replace"), content.decode("latin-1"))
    return list(dict.fromkeys(line for text in texts for line in text.splitlines()))


def _customize_in(folder: str) -> str:
    """Return the module of that kind in a folder that is there already, or empty."""
    try:
        names = [each.name for each in os.scandir(folder)]
    except OSError:
        return ""
    found = (_CUSTOMIZE.fullmatch(each) for name in names for each in (name, f"{name}/__init__.py"))
    return next((each["module"] for each in found if each), "")


def _size(distributions: Collection[StagedDistribution], limit: int) -> Iterator[Finding]:
    """Ask before something enormous comes in."""
    total = sum(each.bytes for each in distributions)
    if total > limit:
        biggest = max(distributions, key=lambda each: each.bytes)
        alone = f"{biggest.name} alone takes {biggest.bytes / 2**30:.1f} GiB."
        yield Finding.ask("too-big", f"The unpacked packages take {total / 2**30:.1f} GiB; {alone}")


def zip_bombs(root: str, sizes: Mapping[str, int]) -> Iterator[Finding]:
    """Ask before huge files come in whose samples all compress to almost nothing.

    `sizes`: bytes of each file by its name below `root`. Only what is huge is opened, and read in
    four places.
    """
    huge = {name: size for name, size in sizes.items() if size > _SUSPICIOUS}
    empty = [name for name, size in huge.items() if _is_empty(os.path.join(root, name), size)]
    if not empty:
        return
    total = sum(huge[name] for name in empty)
    more = f" and {len(empty) - 1} more" if len(empty) > 1 else ""
    fills = f"{os.path.basename(empty[0])}{more} fills {total / 2**20:.0f} MiB of the disk"
    message = f"{fills} with next to nothing, as a zip bomb does."
    yield Finding.ask("too-big", message, context=empty[0])


def _is_empty(path: str, size: int) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            for number in range(_SAMPLES):
                file.seek(number * (size - _SAMPLE) // (_SAMPLES - 1))
                sample = file.read(_SAMPLE)
                if len(zlib.compress(sample)) * _RATIO > len(sample):
                    return False
    except OSError:
        return False
    return True


def _some(names: Sequence[str], verb: str = "is") -> str:
    """Name the first and count the rest; `verb` follows in its right form."""
    if len(names) == 1:
        return f"{names[0]} {verb}".strip()
    rest = f" and {len(names) - 1} more file{'s' if len(names) > 2 else ''}"
    return f"{names[0]}{rest} {'are' if verb else ''}".strip()
