"""Scripts, pyproject.toml and locks: read as uv and pip read them, and refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeinstall.errors import RequestError
from safeinstall.request import InstallRequest, parse
from safeinstall.request.lock_file import _written as written
from safeinstall.request.lock_file import lock_of
from safeinstall.request.toml_files import read_toml
from safeinstall.requirements import satisfied, unmet
from support.examples import examples
from test_requirements import Installed

HASH = "ab" * 32
SCRIPT = """\
#!/usr/bin/env python
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "six<2",  # for old times
#   'rich; python_version > "3"',
# ]
# ///
import six
"""
PROJECT = """\
[project]
name = "Thing"
dependencies = ["six"]
[project.optional-dependencies]
plot = ["seaborn", "thing[Draw_ing]"]
draw-ing = ["pillow"]
[dependency-groups]
dev = ["pytest", {include-group = "Lint_Er"}]
lint-er = ["ruff; python_version > '3'"]
round = [{include-group = "about"}]
about = [{include-group = "round"}]
odd = [{include-group = "gone"}]
"""


def lock(*packages: str, **top: Any) -> str:
    keys = {"lock-version": "1.0", "created-by": "tests", **top}
    head = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    return head + "".join(f"[[packages]]\n{package}\n" for package in packages)


def wheel(name: str, version: str = "1.0", more: str = "") -> str:
    file = f"{name}-{version}-py3-none-any.whl"
    return (
        f'name = "{name}"\nversion = "{version}"\n{more}\n'
        f'wheels = [{{ name = "{file}", path = "w/{file}", hashes = {{ sha256 = "{HASH}" }} }}]'
    )


KEYS = (
    *("lock-version", "packages", "name", "version", "wheels", "sdist", "vcs", "directory"),
    *("archive", "marker", "hashes", "path", "url", "environments", "default-groups", "extras"),
    *("project", "dependencies", "optional-dependencies", "dynamic", "dependency-groups", "dev"),
    *("include-group", "tool", "uv", "sources", "index", "find-links", "requires-python", "six"),
    *("git", "x", "subdirectory", "sha256"),
)
Ask = Callable[..., InstallRequest]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Return what reads a line in a folder with these files (`__` in a name is a dot)."""

    def asked(line: str, body: str | None = None, **texts: str) -> InstallRequest:
        for name, text in texts.items():
            path = tmp_path / name.replace("__", ".").replace("_in_", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        return parse(line, body, cwd=tmp_path)

    return asked


def texts(request: InstallRequest) -> list[str]:
    return [item.text for item in request.items]


def test_a_script_is_installed_by_what_its_block_lists(ask: Ask) -> None:
    request = ask("-r s.py", s__py=SCRIPT)
    assert texts(request) == ["six<2", 'rich; python_version > "3"']
    assert [item.origin for item in request.items] == ["s.py", "s.py"]
    assert [(d.origin, d.python) for d in request.demands] == [("s.py", ">=3.11")]
    assert request.display() == "--requirement ./s.py"


def test_line_ends_of_windows_are_no_obstacle(ask: Ask) -> None:
    assert texts(ask("-r s.py", s__py=SCRIPT.replace("\n", "\r\n"))) == texts(ask("-r s.py"))


def test_the_block_in_a_cell_is_read_and_its_other_lines_too(ask: Ask) -> None:
    request = ask("-U", SCRIPT.partition("\n")[2].replace("import six\n", "attrs\n"))
    assert texts(request) == ["six<2", 'rich; python_version > "3"', "attrs"]
    assert all(item.typed for item in request.items)
    assert request.upgrade
    assert [(d.origin, d.python) for d in request.demands] == [("The cell", ">=3.11")]


def block(toml: str) -> str:
    return "# /// script\n" + "".join(f"# {line}\n" for line in toml.splitlines()) + "# ///\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import x\n", "s.py has no PEP 723 block"),
        ("# /// script\n# dependencies = []\n", "s.py:1 opens a PEP 723 block that nothing closes"),
        ("# /// script\n#dependencies = []\n# ///\n", "s.py:1 opens a PEP 723 block"),
        (block("dependencies = []") + "\n" + block("dependencies = []"), "has 2 PEP 723 blocks"),
        ("\n" + block('a = 1\ndependencies = ["six"'), "block is no TOML: unclosed array"),
        ("\n" + block("a = 1\nb ="), "block is no TOML (line 4): "),
        (block('requires-python = ">=3"'), "its PEP 723 block has no `dependencies`"),
        (block('dependencies = "six"'), "dependencies is no list of requirements"),
        (block("dependencies = [1]"), "dependencies is no list of requirements"),
        (block('dependencies = ["six=1"]'), "s.py: `six=1` has = where == belongs"),
        (block('dependencies = ["./x.whl"]'), "s.py: There is no file or folder ./x.whl"),
        (block('dependencies = ["-e ."]'), "`-e .` is no requirement"),
        (block('requires-python = 3\ndependencies = ["six"]'), "requires-python is no text"),
    ],
)
def test_a_block_that_cannot_be_read_is_refused_in_one_sentence(
    ask: Ask, text: str, says: str
) -> None:
    with pytest.raises(RequestError) as caught:
        ask("-r s.py", s__py=text)
    assert says in caught.value.message
    assert caught.value.message.count(". ") == 0
    assert caught.value.hint in ("%safeinstall -r s.py", "%safeinstall --help")


def test_no_secret_of_a_file_is_told(ask: Ask) -> None:
    with pytest.raises(RequestError) as caught:
        ask("-r s.py", s__py=block('dependencies = ["https://ana:hunter22@h.example/x"]'))
    assert "hunter22" not in f"{caught.value.message} {caught.value.context} {caught.value.hint}"


def test_a_block_in_a_cell_is_refused_with_a_line_too(ask: Ask) -> None:
    option = block('dependencies = ["--index-url=https://h.example"]')
    for body in ("# /// script\n# dependencies = []\n", block("dependencies = ["), option):
        with pytest.raises(RequestError) as caught:
            ask("", body)
        assert caught.value.message.startswith("The cell")
        assert caught.value.hint == "%safeinstall --help"


SOURCES = """\
dependencies = ["a[x]>=1; python_version > '3'", "b", "c", "d", "e"]
[tool.uv]
exclude-newer = "2025-01-01T00:00:00Z"
[tool.uv.sources]
A = { git = "https://git.example/a", tag = "v1", subdirectory = "py" }
b = { url = "https://host.example/b-1.0.zip" }
c = { path = "../c-1.0-py3-none-any.whl" }
d = { index = "mine" }
[[tool.uv.index]]
name = "mine"
url = "https://mine.example/simple"
explicit = true
"""


def test_the_sources_of_a_script_are_obeyed_or_named(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "c-1.0-py3-none-any.whl").touch()
    request = ask("-r sub/s.py", sub_in_s__py=block(SOURCES))
    assert texts(request) == [
        'a[x] @ git+https://git.example/a@v1#subdirectory=py ; python_version > "3"',
        "b @ https://host.example/b-1.0.zip",
        f"c @ {(tmp_path / 'c-1.0-py3-none-any.whl').as_uri()}",
        "d",
        "e",
    ]
    assert request.unheeded == ("sources.d in sub/s.py",)
    assert request.cutoffs == (("2025-01-01T00:00:00Z", "exclude-newer in sub/s.py"),)


INDEX = 'dependencies = ["six"]\n[[tool.uv.index]]\nurl = "https://mine.example/simple"\n'


def test_an_index_in_a_script_is_asked_about_like_one_in_a_requirements_file(ask: Ask) -> None:
    with pytest.raises(RequestError) as caught:
        ask("-r s.py", s__py=block(INDEX))
    assert caught.value.code == "file-option"
    assert "asks for --extra-index-url https://mine.example/simple" in caught.value.message
    obeyed = ask("-r s.py --allow-file-options")
    assert obeyed.extra_index_urls == ("https://mine.example/simple",)
    assert ask(caught.value.hint.removeprefix("%safeinstall ")).extra_index_urls
    assert ask("", block(INDEX)).extra_index_urls  # a cell is what was typed


def test_a_project_lists_its_dependencies_extras_and_groups(ask: Ask) -> None:
    assert texts(ask("-r pyproject.toml", pyproject__toml=PROJECT)) == ["six"]
    assert texts(ask("-r pyproject.toml --extra plot")) == ["six", "seaborn", "pillow"]
    assert texts(ask("--group dev")) == ["pytest", 'ruff; python_version > "3"']
    assert texts(ask("-r pyproject.toml --group LINT.er")) == ["six", 'ruff; python_version > "3"']
    request = ask("--group sub/pyproject.toml:dev", sub_in_pyproject__toml=PROJECT)
    assert texts(request)[0] == "pytest"
    assert request.display() == "--group sub/pyproject.toml:dev"
    assert not request.empty


@pytest.mark.parametrize(
    ("line", "says", "hint"),
    [
        ("--group dve", "pyproject.toml has no group dve: it has about, dev,", "--group dev"),
        ("-U --group=dve", "has no group dve", "-U --group dev"),
        ("--group round", "round → about → round is a circle of groups", "--group round"),
        ("--group odd", "group odd includes gone, which there is not", "--group odd"),
        ("--group pylock.toml:x", "A lock is read first", "-r pylock.toml --group x"),
        ("--group s.py:x", "groups are in a pyproject.toml", "--help"),
        (
            "-r pyproject.toml --extra plto",
            "no extra plto: it has",
            "-r pyproject.toml --extra plot",
        ),
        ("six --extra plot", "--extra is of a -r pyproject.toml or pylock.toml", "six"),
        ("-r pyprojct.toml", "There is no file pyprojct.toml", "-r pyproject.toml"),
        ("-r nb.ipynb six", "nb.ipynb is a notebook", "six"),
        ("nb.ipynb", "nb.ipynb is a notebook", "--help"),
        ("-r setup.py", "its folder installs", "--editable ."),
        ("-r uv.lock", "uv export --format pylock.toml", "--help"),
        ("-r other.toml", "neither pyproject.toml nor a lock", "--help"),
        ("-c pyproject.toml six", "stands on the line itself", "six"),
        ("-r nested.txt", "stands on the line itself", "-r nested.txt"),
        ("s.py", "s.py is a file: -r goes before it", "-r s.py"),
        ("./s.py", "./s.py is a script: -r goes before it", "-r ./s.py"),
    ],
)
def test_what_is_no_such_file_or_name_is_put_right(
    ask: Ask, line: str, says: str, hint: str
) -> None:
    for name in ("nb.ipynb", "setup.py", "uv.lock", "other.toml"):
        ask("--help", **{name.replace(".", "__"): ""})
    ask("--help", pyproject__toml=PROJECT, s__py=SCRIPT, nested__txt="-r pyproject.toml")
    with pytest.raises(RequestError) as caught:
        ask(line)
    assert says in caught.value.message
    assert caught.value.hint == f"%safeinstall {hint}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[project]\nname = "x"\ndynamic = ["dependencies"]',
            "leaves its dependencies to its build",
        ),
        ("[build-system]\nrequires = []", "has no table [project]"),
    ],
)
def test_what_only_a_build_can_tell_is_offered_as_an_install_of_the_folder(
    ask: Ask, text: str, says: str
) -> None:
    with pytest.raises(RequestError) as caught:
        ask("-U -r pyproject.toml", pyproject__toml=text)
    assert says in caught.value.message
    assert caught.value.hint == "%safeinstall -U --editable ."


def test_a_group_beside_a_project_elsewhere_is_offered_with_its_path(ask: Ask) -> None:
    with pytest.raises(RequestError) as caught:
        ask("-r sub/pyproject.toml --group dev", sub_in_pyproject__toml=PROJECT)
    line = "-r sub/pyproject.toml --group sub/pyproject.toml:dev"
    assert caught.value.hint == f"%safeinstall {line}"
    assert texts(ask(line)) == ["six", "pytest", 'ruff; python_version > "3"']


def test_two_groups_of_one_name_are_refused(ask: Ask) -> None:
    with pytest.raises(RequestError, match="two groups of the name"):
        ask("--group a", pyproject__toml="[dependency-groups]\na-b = []\nA_b = []\na = []\n")


LOCK = lock(
    wheel("la"),
    wheel("lb", "2.0", "marker = \"'dev' in dependency_groups\""),
    wheel("lc", "3.0", "marker = \"'x' in extras and sys_platform != 'none'\""),
    **{"extras": ["x"], "dependency-groups": ["dev"], "requires-python": ">=3.8"},
)
MARKERS = {"python_version": "3.12", "sys_platform": "linux", "extra": ""}


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("-r pylock.toml", ""),
        ("-r pylock.toml --group dev", "lb"),
        ("-r pylock.toml --extra x", "lc"),
    ],
)
def test_a_lock_is_met_by_its_exact_versions_alone(ask: Ask, line: str, missing: str) -> None:
    request = ask(line, pylock__toml=LOCK)
    versions = {"la": "1.0", "lb": "2.0", "lc": "3.0"}
    there = Installed(*((name, versions[name], ()) for name in versions if name != missing))
    assert (satisfied(request, there, MARKERS) is not None) is not bool(missing)
    every = [(name, version, ["not-there"]) for name, version in versions.items()]
    assert satisfied(request, Installed(*every), MARKERS) is not None  # a lock resolves nothing
    assert satisfied(request, Installed(("la", "1.1", [])), MARKERS) is None


def test_a_lock_is_handed_on_as_a_lock_with_absolute_paths(ask: Ask, tmp_path: Path) -> None:
    request = ask("-r pylock.toml --group dev", pylock__toml=LOCK)
    data = read_toml(lock_of(request.items), "the lock")
    assert [package["name"] for package in data["packages"]] == ["la", "lb", "lc"]
    (file,) = data["packages"][0]["wheels"]
    assert file["path"] == str(tmp_path / "w" / "la-1.0-py3-none-any.whl")
    assert file["hashes"] == {"sha256": HASH}
    assert data["packages"][1]["marker"] == 'python_version >= "0"'
    assert data["packages"][2]["marker"].startswith('python_version < "0" and ')


def test_default_groups_are_taken_where_none_is_typed(ask: Ask) -> None:
    text = LOCK.replace('dependency-groups = ["dev"]', 'default-groups = ["dev"]')
    request = ask("-r pylock.toml", pylock__toml=text)
    assert satisfied(request, Installed(("la", "1.0", [])), MARKERS) is None


def test_places_in_a_lock_are_places_that_nobody_typed(ask: Ask, tmp_path: Path) -> None:
    git = 'name = "a"\nvcs = { type = "git", url = "https://git.example/a", commit-id = "abc" }'
    folder = 'name = "b"\ndirectory = { path = "b", editable = true }'
    items = ask("-r pylock.x.toml", pylock__x__toml=lock(git, folder)).items
    assert [(item.kind, item.text, item.typed) for item in items] == [
        ("vcs", "git+https://git.example/a@abc", False),
        ("editable", str(tmp_path / "b"), False),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (lock(**{"lock-version": "2.0"}), "has lock-version 2.0; only 1 is known here"),
        ("created-by = 'x'", "has lock-version none"),
        ("lock-version = \n", "pylock.toml is no TOML (line 1)"),
        (lock('name = "a"\nversion = "1"'), "a has no source"),
        (lock('version = "1"'), "a package has no name"),
        (lock(wheel("a", "one")), "a has a version or a marker that is none: one"),
        (lock(wheel("a", more='marker = "nonsense"')), "a marker that is none"),
        (lock(wheel("a").replace(f'sha256 = "{HASH}"', "")), "without a place or without hashes"),
        (lock(wheel("a").replace("path", "place")), "without a place or without hashes"),
        (lock('name = "a"\nversion = "1"\nwheels = ["x"]'), "without a place or without hashes"),
        (lock(packages=1), "packages is no list of tables"),
        ('lock-version = "1.0"\ncreated-by = "x"\n', "lists no packages: it is no lock"),
        (lock('name = "a"\nvcs = 1'), "a has no source"),
    ],
)
def test_what_is_no_lock_is_refused_in_one_sentence(ask: Ask, text: str, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        ask("-r pylock.toml", pylock__toml=text)
    assert says in caught.value.message
    assert caught.value.hint == "%safeinstall -r pylock.toml"


@pytest.mark.parametrize(
    "line",
    [
        "-r pylock.toml six",
        "-U six -r pylock.toml -r r.txt",
        "-r pylock.toml -c r.txt",
        f"-r pylock.toml six==1 --hash sha256:{HASH}",
        "-r pylock.toml --group pyproject.toml:dev",
        "-r pylock.toml -r pylock.b.toml",
    ],
)
def test_a_lock_stands_alone(ask: Ask, line: str) -> None:
    files = {"pyproject__toml": PROJECT, "r__txt": "attrs\n", "pylock__b__toml": lock(wheel("b"))}
    with pytest.raises(RequestError, match="is whole by itself") as caught:
        ask(line, pylock__toml=LOCK, **files)
    assert ask(caught.value.hint.removeprefix("%safeinstall ")).locked


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("-r pylock.toml --group dve", "-r pylock.toml --group dev"),
        ("--extra y -r pylock.toml", "--extra x -r pylock.toml"),
    ],
)
def test_a_group_or_extra_that_a_lock_does_not_have_gets_the_nearest(
    ask: Ask, line: str, hint: str
) -> None:
    with pytest.raises(RequestError) as caught:
        ask(line, pylock__toml=LOCK)
    assert caught.value.hint == f"%safeinstall {hint}"


VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text(), st.sampled_from(["six", ".", "1.0", HASH])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    ),
    max_leaves=12,
)


FULL = {
    "pylock.toml": LOCK,
    "pyproject.toml": PROJECT + "[tool.uv]\n" + SOURCES.partition("[tool.uv]\n")[2],
    "s.py": 'requires-python = ">=3"\n' + SOURCES,
}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every table or list in `value` with each of its keys."""
    keys = range(len(value)) if isinstance(value, list) else value
    for key in list(keys) if isinstance(value, (dict, list)) else ():
        yield value, key
        yield from places(value[key])


@settings(max_examples=examples(200))
@given(name=st.sampled_from(sorted(FULL)), value=VALUES, which=st.integers(0, 200))
def test_whatever_stands_in_a_file_is_read_or_refused(name: str, value: Any, which: int) -> None:
    data = read_toml(FULL[name], name)
    every = list(places(data))
    table, key = every[which % len(every)]
    table[key] = value
    toml = "".join(f"{json.dumps(key)} = {written(each)}\n" for key, each in data.items())
    text = block(toml) if name == "s.py" else toml
    for line in (f"-r {name} --extra x", f"-r {name}", "--group dev", f"-r {name} --group dev"):
        try:
            request = parse(line, cwd="/nowhere", read=lambda path: text)
        except RequestError as error:
            assert error.message
        else:
            read_toml(lock_of(item for item in request.items if item.locked), "handed on")


def test_files_say_what_python_they_are_for(ask: Ask) -> None:
    marked = "requires-python = '>=4'\nmarker = \"sys_platform == 'win32'\""
    text = lock(wheel("a", more="requires-python = '>=3.13'"), wheel("b", more=marked))
    demands = ask("-r pylock.toml", pylock__toml=text).demands
    assert [d.origin for d in demands if unmet(d, "3.12.1", MARKERS)] == ["pylock.toml: a"]
    elsewhere = lock(wheel("a"), environments=["sys_platform == 'win32'"])
    (demand,) = ask("-r pylock.toml", pylock__toml=elsewhere).demands
    assert unmet(demand, "3.12.1", MARKERS)
    assert not unmet(demand, "3.12.1", {**MARKERS, "sys_platform": "win32"})


def test_a_pre_release_of_python_is_the_python_that_a_file_is_for(ask: Ask) -> None:
    (demand,) = ask("-r s.py", s__py=SCRIPT).demands
    assert not unmet(demand, "3.15.0a1", MARKERS)
    assert unmet(demand, "3.10.4", MARKERS)
