"""Requests: what is typed becomes one frozen value, or one sentence and the line to type."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement

from safeinstall import api
from safeinstall.errors import RequestError
from safeinstall.frontend import NOTEBOOK, TERMINAL
from safeinstall.request import (
    OPTIONS,
    InstallRequest,
    RequestItem,
    parse,
    tokenize,
)
from safeinstall.request.arguments import command_help
from support.examples import examples

HASH = "sha256:" + "ab" * 32
SHELL = "safeinstall runs no shell."


def asked(line: str, body: str | None = None) -> InstallRequest:
    return parse(line, body, cwd="/w", environ={}, read=lambda path: "six\n")


def texts(request: InstallRequest) -> list[str]:
    return [item.text for item in request.items]


def refused(line: str, body: str | None = None) -> RequestError:
    with pytest.raises(RequestError) as caught:
        asked(line, body)
    return caught.value


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Return a folder with a project, a wheel, an archive and a list of requirements."""
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "pyproject.toml").touch()
    (tmp_path / "empty").mkdir()
    for name in ("six-1.0-py3-none-any.whl", "six-1.0.tar.gz", "odd.whl", "requirements.txt"):
        (tmp_path / name).touch()
    return tmp_path


# Options


def test_every_option_of_the_table_arrives_in_its_field() -> None:
    line = (
        "six -U --pre --no-deps --force-reinstall -i https://a/s --extra-index-url https://b/s "
        "-f https://c/l --no-index --trusted-host h:80 --dry-run -y --strict -v -q --installer pip "
        "--no-wait --user --break-system-packages --require-hashes --allow-conflicts "
        "--allow-kernel-change --allow-build Foo_Bar --allow-build b --allow-direct "
        "--allow-file-options --allow-stdlib-name --prove-import --import-seconds 90"
    )
    request = asked(line)
    assert request == InstallRequest(
        cwd="/w",
        items=request.items,
        upgrade=True,
        pre=True,
        no_deps=True,
        force_reinstall=True,
        index_url="https://a/s",
        extra_index_urls=("https://b/s",),
        find_links=("https://c/l",),
        no_index=True,
        trusted_hosts=("h:80",),
        dry_run=True,
        yes=True,
        strict=True,
        verbose=True,
        quiet=True,
        installer="pip",
        no_wait=True,
        user=True,
        break_system_packages=True,
        require_hashes=True,
        prove_import=True,
        import_seconds="90",
        allow_builds=frozenset({"foo-bar", "b"}),
        allow=frozenset(
            {
                "allow-conflicts",
                "allow-kernel-change",
                "allow-direct",
                "allow-file-options",
                "allow-stdlib-name",
            }
        ),
    )


@pytest.mark.parametrize("value", ["soon", "0", "1.5", "²", "99999999"])
def test_seconds_that_are_none_are_put_right(value: str) -> None:
    error = refused(f"--import-seconds {value} six")
    assert error.hint == "%safeinstall --import-seconds=60 six"


@pytest.mark.parametrize(
    ("line", "same_as"),
    [
        ("-Uv six", "-U -v six"),
        ("six -qU", "-q -U six"),
        ("-rr.txt", "-r r.txt"),
        ("-Ur r.txt", "-U --requirement=r.txt"),
        ("--index-url=https://h/s", "-i https://h/s"),
        ("-i https://a/s -i https://b/s", "-i https://b/s"),
        ("six -- numpy", "six numpy"),
        ("six six", "six"),
        ("-c c.txt -r r.txt", "-r r.txt -c c.txt"),
    ],
)
def test_spellings_that_mean_the_same(line: str, same_as: str) -> None:
    assert asked(line) == asked(same_as)


def test_the_command_line_knows_two_options_more() -> None:
    request = parse(["--python", "/p", "--json", "six"], cwd="/w", frontend=TERMINAL)
    assert (request.python, request.json) == ("/p", True)
    assert refused("--python /p six").message == "--python is for the command line only."


def test_every_option_has_a_help_line_and_no_two_share_a_name() -> None:
    names = [name for option in OPTIONS for name in option.names]
    assert len(set(names)) == len(names)
    for option in OPTIONS:
        assert option.names[0] in command_help("install", TERMINAL)
        assert bool(option.example) == option.takes_value
        assert option.command_only != (option.names[0] in command_help("install", NOTEBOOK))


def test_only_options_is_an_empty_request() -> None:
    assert asked("").empty
    assert asked("-U # nothing").empty
    assert not asked("-r r.txt").empty


# What to install


@pytest.mark.parametrize(
    ("line", "text", "kind", "name"),
    [
        ("Foo_Bar >= 1, <2", "Foo_Bar<2,>=1", "named", "foo-bar"),
        ("a[y,x]", "a[x,y]", "named", "a"),
        ("a; os_name == 'nt'", 'a; os_name == "nt"', "named", "a"),
        ("A @ https://h/a.tar.gz", "A @ https://h/a.tar.gz", "url", "a"),
        ("A @ https://h/latest", "A @ https://h/latest", "url", "a"),
        (
            "https://h/Foo_Bar-1.0-py3-none-any.whl",
            "https://h/Foo_Bar-1.0-py3-none-any.whl",
            "url",
            "foo-bar",
        ),
        ("https://h/Foo-1.0.tar.gz?a=1", "https://h/Foo-1.0.tar.gz?a=1", "url", "foo"),
        ("a @ git+https://h/a@v1", "a @ git+https://h/a@v1", "vcs", "a"),
        (
            "git+https://h/r#egg=A_b&subdirectory=x",
            "git+https://h/r#egg=A_b&subdirectory=x",
            "vcs",
            "a-b",
        ),
        ("git+ssh://git@h/r.git", "git+ssh://git@h/r.git", "vcs", None),
        ("-e git+https://h/r", "git+https://h/r", "editable", None),
    ],
)
def test_items(line: str, text: str, kind: str, name: str | None) -> None:
    (item,) = asked(line).items
    assert (item.text, item.kind, item.name) == (text, kind, name)


@pytest.mark.parametrize(
    ("line", "text", "kind", "name"),
    [
        ("./pkg", "{here}/pkg", "folder", None),
        ("pkg/", "{here}/pkg", "folder", None),
        ("pkg/.", "{here}/pkg", "folder", None),
        ("pkg", "pkg", "named", "pkg"),
        ("./pkg[a, b]", "{here}/pkg[a,b]", "folder", None),
        ("{here}/pkg", "{here}/pkg", "folder", None),
        ("six-1.0-py3-none-any.whl", "{here}/six-1.0-py3-none-any.whl", "wheel", "six"),
        ("pkg/../six-1.0.tar.gz", "{here}/six-1.0.tar.gz", "archive", "six"),
        ("six @ ./six-1.0.tar.gz", "six @ file://{here}/six-1.0.tar.gz", "archive", "six"),
        ("x @ file://{here}/pkg", "x @ file://{here}/pkg", "folder", "x"),
        ("file://{here}/six-1.0.tar.gz", "file://{here}/six-1.0.tar.gz", "archive", "six"),
        ("-e ./pkg[a]", "{here}/pkg[a]", "editable", None),
    ],
)
def test_local_items(here: Path, line: str, text: str, kind: str, name: str | None) -> None:
    request = parse(line.format(here=here), cwd=here)
    (item,) = request.items
    assert (item.text, item.kind, item.name) == (text.format(here=here), kind, name)
    assert parse(str(request), cwd=here) == request
    assert str(here) not in str(request) or "file://" in text


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("./pgk", "There is no file or folder ./pgk.", "./pkg"),
        ("./nothing.like", "There is no file or folder ./nothing.like.", "--help"),
        (
            "six-1.1-py3-none-any.whl",
            "There is no file or folder six-1.1-py3-none-any.whl.",
            "./six-1.0-py3-none-any.whl",
        ),
        ("./empty", "./empty is no project: it has no pyproject.toml and no setup.py.", "--help"),
        ("odd.whl", "odd.whl is not named like a wheel (name-version-tags.whl).", "--help"),
        (
            "./requirements.txt",
            "./requirements.txt is a list of requirements: -r goes before it.",
            "-r ./requirements.txt",
        ),
        (
            "requirements.txt",
            "requirements.txt is a file: -r goes before it.",
            "-r requirements.txt",
        ),
        ("pyproject.toml", "pyproject.toml is a file: -r goes before it.", "-r pyproject.toml"),
        ("-U -e ./pgk", "There is no file or folder ./pgk.", "-U -e ./pkg"),
        (
            "-e ./requirements.txt",
            "./requirements.txt is a list of requirements: -r goes before it.",
            "-r ./requirements.txt",
        ),
        ("-e six", "--editable takes a project folder or a repository, not `six`.", "six"),
    ],
)
def test_places_nothing_can_be_installed_from(
    here: Path, line: str, message: str, hint: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parse(line, cwd=here)
    assert caught.value.message == message
    assert caught.value.hint == f"%safeinstall {hint}"


def test_hashes_belong_to_the_requirement_before_them() -> None:
    request = asked(f"six==1.17 --hash={HASH} numpy")
    assert [item.hashes for item in request.items] == [(HASH,), ()]


# Bad input: one sentence, the line to type


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--upgrad six", "--upgrad is no option here: did you mean --upgrade?", "--upgrade six"),
        ("--upg six", "--upg is no option here: did you mean --upgrade?", "--upgrade six"),
        ("-upgrade six", "-upgrade is no option here: did you mean --upgrade?", "--upgrade six"),
        ("--dry_run six", "--dry_run is no option here: did you mean --dry-run?", "--dry-run six"),
        (
            "--index=https://h six",
            "--index is called --extra-index-url here.",
            "--extra-index-url=https://h six",
        ),
        (
            "--default-index=https://h six",
            "--default-index is called --index-url here.",
            "--index-url=https://h six",
        ),
        ("--torch-backend auto six", "--torch-backend is no option here.", "six"),
        ("--src x six", "--src is no option here.", "six"),
        ("-n base six", "-n is no option here.", "six"),
        ("-p /opt/env six", "-p is no option here.", "six"),
        ("--name base six", "--name is no option here.", "six"),
        ("--frobnicate x six", "--frobnicate is no option here.", "six"),
        ("--no-cache-dir six", "--no-cache-dir is no option here.", "six"),
        ("-Ux six", "-Ux is no option here.", "six"),
        ("--target /x six", "--target would install where this kernel does not look.", "six"),
        ("--pre=yes six", "--pre takes no value.", "--pre six"),
        ("six -r", "-r needs a value.", "six -r requirements.txt"),
        ("-i --pre six", "-i needs a value.", "-i https://index.example/simple --pre six"),
        ("-i '' six", "-i needs a value.", "-i https://index.example/simple six"),
        (
            "--index-url=-x six",
            "--index-url needs a value.",
            "--index-url https://index.example/simple six",
        ),
        ("-i nowhere six", "`nowhere` is neither a URL nor a folder.", "six"),
        ("--trusted-host a/b six", "`a/b` is no host name.", "six"),
        (
            "--installer pop six",
            "--installer knows auto, uv, pip and conda, not pop.",
            "--installer pip six",
        ),
        (
            "--allow-build a,b six",
            "--allow-build takes one name.",
            "--allow-build a --allow-build b six",
        ),
        ("-r https://h/r.txt", "https://h/r.txt is an address: fetch the file first.", "--help"),
        (f"--hash {HASH} six", "--hash follows the requirement it belongs to.", "six"),
        ("—pre six", "`—pre` begins with a dash that is no hyphen.", "--pre six"),
        ("–U six", "`–U` begins with a dash that is no hyphen.", "-U six"),
        ("pip install -U six", "`pip install` is not needed here.", "-U six"),
        ("!pip3 install six", "`!pip3 install` is not needed here.", "six"),
        ("uv add six", "`uv add` is not needed here.", "six"),
        ("python -m pip install six", "`python -m pip install` is not needed here.", "six"),
        ("install six", "`install` is not needed here.", "six"),
    ],
)
def test_a_wrong_option_is_put_right(line: str, message: str, hint: str) -> None:
    error = refused(line)
    assert (error.message, error.hint) == (message, f"%safeinstall {hint}")
    assert (error.code, error.exit_status) == ("usage", 2)


@pytest.mark.parametrize(
    ("line", "message", "hint", "column"),
    [
        ("a numpy=1.2", "`numpy=1.2` has = where == belongs.", "a numpy==1.2", 5),
        ("numpy=>2", "`numpy=>2` has => where >= belongs.", '"numpy>=2"', 5),
        ("numpy==", "`numpy==` says no version after ==.", "numpy", 7),
        (">=2 six", "`>=2` says no name before >.", "six", 0),
        ("numpy>=1,,<2", "`numpy>=1,,<2` is not a requirement.", '"numpy>=1,<2"', 9),
        ("numpy>=1.*", "`numpy>=1.*` is not a requirement.", '"numpy>=1"', 9),
        ("numpy[x", "`numpy[x` is not a requirement.", "numpy[x]", 7),
        ('"scikit learn"', "`scikit learn` has a blank in it; a name has none.", "scikit-learn", 6),
        ('"numpy 1.2"', "`numpy 1.2` has a blank in it; a name has none.", "numpy==1.2", 5),
        ("a && rm x", f"`&&` is not special here: {SHELL}", "a", 0),
        ("a | rm x", f"`|` is not special here: {SHELL}", "a", 0),
        ('"a; rm -rf /" b', f"`;` is not special here: {SHELL}", "a", 1),
        ("a $HOME", f"`$HOME` is not filled in: {SHELL}", "a", 0),
        ("a `id`", f"A backquote is not special here: {SHELL}", "a", 0),
        ("a=={v}", f"`{{` is not filled in: {SHELL}", "--help", 3),
        ("$HOME/x.whl", f"`$HOME` is not filled in: {SHELL}", "--help", 0),
        ("./dist/*.whl", f"`*` is not special here: {SHELL}", "--help", 7),
        ("a\u200b b", "There is an invisible character (U+200B) in it.", "a b", 1),
    ],
)
def test_a_wrong_requirement_is_pointed_at(line: str, message: str, hint: str, column: int) -> None:
    error = refused(line)
    assert (error.message, error.hint) == (message, f"%safeinstall {hint}")
    assert error.context.splitlines()[1].index("^") == column


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (
            "numpy 1.26",
            "`numpy 1.26` is two words; a requirement is one.",
            "%safeinstall numpy==1.26",
        ),
        (
            'numpy ">=2"',
            "`numpy >=2` is two words; a requirement is one.",
            '%safeinstall "numpy>=2"',
        ),
        ("1.26", "1.26 is a version; a name goes before it: NAME==1.26.", "%safeinstall --help"),
        ("numpy@1.26", "`numpy@1.26`: a version follows ==, not @.", "%safeinstall numpy==1.26"),
        ("a @ b", "`a @ b`: a URL follows @.", "%safeinstall --help"),
        *(
            (line, f"`{line}`: the newest version is taken when none is named.", "%safeinstall six")
            for line in ("six==latest", "six@latest", "six=latest", "six==Newest")
        ),
        ("six~1.0", "`six~1.0` is not a requirement.", "%safeinstall six~=1.0"),
        ("six==1.0.", "`six==1.0.` is not a requirement.", "%safeinstall six==1.0"),
        ("six[a", "`six[a` is not a requirement.", "%safeinstall six[a]"),
        ("six[", "`six[` is not a requirement.", "%safeinstall six"),
        (
            "import numpy as np",
            "`import numpy` is Python; the package is numpy.",
            "%safeinstall numpy",
        ),
        (
            "import sklearn.svm",
            "`import sklearn.svm` is Python; the package is scikit-learn.",
            "%safeinstall scikit-learn",
        ),
        (
            "from my_pkg import x",
            "`from my_pkg` is Python; the package is my-pkg.",
            "%safeinstall my-pkg",
        ),
        ("numpy as np", "`as` is a word of Python, not a package.", "%safeinstall numpy"),
        (
            "{name}",
            "`{` is not filled in: safeinstall runs no shell.",
            "import safeinstall; safeinstall.install(name)",
        ),
        (
            "$name",
            "`$name` is not filled in: safeinstall runs no shell.",
            "import safeinstall; safeinstall.install(name)",
        ),
        (
            "https://index.example/project/six/",
            "`https://index.example/project/six/` is a page about a package.",
            "%safeinstall six",
        ),
        (
            "https://index.example/project/six/1.17.0/",
            "`https://index.example/project/six/1.17.0/` is a page about a package.",
            "%safeinstall six==1.17.0",
        ),
        ("git+https://", "`git+https://` names no host.", "%safeinstall --help"),
        ("git+ssh:///x", "`git+ssh:///x` names no host.", "%safeinstall --help"),
        (
            "git+file:///never/was@main",
            "There is no repository at /never/was@main.",
            "%safeinstall --help",
        ),
        (
            "-e git+file:///never/was#egg=x",
            "There is no repository at /never/was.",
            "%safeinstall --help",
        ),
        ('""', "There is nothing between the quotes.", "%safeinstall --help"),
        (
            "-U -- -x",
            "`-x` looks like an option and stands where a name belongs.",
            "%safeinstall --help",
        ),
        ("os", "os is part of Python itself; there is nothing to install: import os", "import os"),
        (
            "JSON six",
            "json is part of Python itself; there is nothing to install: import json",
            "%safeinstall six",
        ),
        (
            "https://github.com/a/b",
            "`https://github.com/a/b` is a repository.",
            "%safeinstall git+https://github.com/a/b",
        ),
        (
            "git@github.com:a/b.git",
            "`git@github.com:a/b.git` is no URL.",
            "%safeinstall git+ssh://git@github.com/a/b.git",
        ),
        (
            "https://h/x",
            "`https://h/x` is neither a wheel nor an archive; if it leads to one, its name goes"
            " before it: NAME @ https://h/x.",
            "%safeinstall --help",
        ),
        ("ftp://h/x.whl", "`ftp:` is no way to fetch a package.", "%safeinstall --help"),
        ("https:///x.whl", "`https:///x.whl` names no host.", "%safeinstall --help"),
        ("https://[x/y.whl", "`https://[x/y.whl` is no valid URL.", "%safeinstall --help"),
        (
            "'https://h/a b.whl'",
            "`https://h/a b.whl` has a blank in it; a URL has %20 there.",
            "%safeinstall https://h/a%20b.whl",
        ),
        (
            "file://other/x.whl",
            "`file://other/x.whl` is on another machine.",
            "%safeinstall --help",
        ),
    ],
)
def test_what_is_valid_to_a_parser_but_not_meant(line: str, message: str, hint: str) -> None:
    error = refused(line)
    assert (error.message, error.hint) == (message, hint)


def test_a_place_with_extras_is_named_without_them(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        parse(["./never[plot]"], cwd=str(tmp_path))
    assert caught.value.message == "There is no file or folder ./never."


def test_a_stdlib_name_passes_by_its_flag_or_with_a_marker() -> None:
    assert texts(asked("--allow-stdlib-name os")) == ["os"]
    assert texts(asked("dataclasses; python_version < '3.7'")) == [
        'dataclasses; python_version < "3.7"'
    ]
    assert texts(asked("typing-extensions")) == ["typing-extensions"]


def test_errors_of_a_command_line_tell_the_command_line() -> None:
    with pytest.raises(RequestError) as caught:
        parse(["--upgrad", "six"], cwd="/w", frontend=TERMINAL)
    assert caught.value.hint == "safeinstall install --upgrade six"


def test_errors_hide_secrets() -> None:
    error = refused("-i https://u:hunter22@h/s numpy=1")
    assert error.hint == "%safeinstall -i https://****@h/s numpy==1"
    error = refused("", "a @ https://h/${TOKEN}/a.whl\nnumpy=1")
    with pytest.raises(RequestError) as caught:
        parse("", "a @ https://h/${T}/a.whl\nnumpy=1", cwd="/w", environ={"T": "hunter22"})
    assert "hunter22" not in caught.value.hint


# Cells


def test_a_cell_lists_requirements_and_options() -> None:
    body = (
        f"# c\n\nsix==1.17 \\\n  --hash={HASH}\nnumpy >= 2, <3\n-r r.txt\n--index-url https://h/s\n"
    )
    request = asked("-U", body)
    assert [(item.text, item.origin) for item in request.items] == [
        ("six==1.17", "typed"),
        ("numpy<3,>=2", "typed"),
        ("six", "r.txt:1"),
    ]
    assert (request.upgrade, request.index_url) == (True, "https://h/s")
    assert request == asked(str(request))


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("six", "%safeinstall six"),
        ("-r r.txt", "%safeinstall -r r.txt"),
        ("--dry-run", "%safeinstall --help"),
        ("-i https://h/s -U", "%safeinstall --help"),
        ("", "%safeinstall --help"),
    ],
    ids=["with-a-name", "with-a-file", "with-an-option", "with-a-value", "without"],
)
def test_an_empty_cell_says_what_to_type(line: str, hint: str) -> None:
    error = refused(line, "\n# nothing\n")
    assert (error.message, error.hint) == (
        "The cell lists nothing to install: each of its lines is a requirement.",
        hint,
    )


@pytest.mark.parametrize(
    ("line", "body", "hint"),
    [
        ("", "rm x; ls", "%safeinstall --help"),
        ("", "rm x && ls", "%safeinstall --help"),
        ("", "rm $HOME", "%safeinstall --help"),
        ("", "rm *", "%safeinstall --help"),
        ("", "cd ..", "%safeinstall --help"),
        ("", "ls -la", "%safeinstall --help"),
        ("--dry-run", "rm x; ls", "%safeinstall --help"),
        ("-U", "numpy\nrm x | ls\nsix", "%safeinstall -U numpy six"),
        ("-U", "numpy\nrm x; ls\nsix", "%safeinstall -U numpy six"),
        ("", "six\nnumpy=1 pandas", "%safeinstall six numpy==1 pandas"),
    ],
)
def test_a_line_of_a_cell_that_is_none_is_left_out_whole(line: str, body: str, hint: str) -> None:
    error = refused(line, body)
    assert error.hint == hint
    if SHELL in error.message:
        assert error.message.endswith("Each line of a cell lists requirements.")
    if "--help" not in hint:
        assert not asked(hint.removeprefix("%safeinstall ")).empty


# Writing a request


def test_a_line_for_a_hint_has_changes_and_no_secrets() -> None:
    request = asked("-i https://u:pw@h/s numpy==1.26.4")
    allowing = request.allowing("--allow-conflicts")
    assert allowing.allows("allow-conflicts")
    assert allowing.line(NOTEBOOK) == (
        "%safeinstall --index-url https://****@h/s --allow-conflicts numpy==1.26.4"
    )
    assert request.line(TERMINAL, requirements=("numpy>=2",), index_url="") == (
        'safeinstall install "numpy>=2"'
    )
    assert "u:pw" in str(request)
    assert "pw" not in request.display()


def test_an_item_is_always_safe_for_an_installer() -> None:
    for text in ("", "-x", "--index-url=https://h", "a\nb", "a\0b", "a\x1b[0m"):
        with pytest.raises(RequestError):
            RequestItem(text=text)


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}([._-][a-z0-9]{1,3})?", fullmatch=True).filter(
    lambda name: not name.lower().endswith((".txt", ".zip", ".whl", ".tar", ".tgz", ".tbz", ".txz"))
)
VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}", fullmatch=True)
REQUIREMENTS = st.one_of(
    NAMES,
    st.builds(
        "{}{}{}".format, NAMES, st.sampled_from(["==", ">=", " < ", "!=", "===", "<="]), VERSIONS
    ),
    st.builds("{} ~= {}.1".format, NAMES, VERSIONS),
    st.builds("{}[{},{}]>={},<99".format, NAMES, NAMES, NAMES, VERSIONS),
    st.builds("{} ; python_version<'{}'".format, NAMES, VERSIONS),
    st.builds("{} @ https://u:p@h/{}.whl".format, NAMES, NAMES),
    st.builds("git+https://h/{}@{}#egg={}".format, NAMES, VERSIONS, NAMES),
)
OPTION_LINES = st.sampled_from(
    [
        "-U",
        "--pre",
        "-y",
        "-q",
        "-v",
        "--no-deps",
        "--installer uv",
        "--allow-conflicts",
        "-r r.txt",
        "-c c.txt",
        "-i https://u:p@h/s",
        "-f './my wheels'",
        "--allow-build x",
        "--allow-direct",
        "-e git+https://h/x",
        "--extra-index-url https://h/s",
        "--trusted-host h",
        "--no-wait",
    ]
)


@settings(max_examples=examples(200), deadline=None)
@given(requirements=st.lists(REQUIREMENTS, max_size=4), options=st.lists(OPTION_LINES, max_size=4))
def test_a_request_is_read_back_from_its_line(requirements: list[str], options: list[str]) -> None:
    words = [*requirements, *(word for option in options for word in tokenize(option))]
    try:
        request = parse(["--allow-stdlib-name", *words], cwd="/w", read=lambda path: "six\n")
    except RequestError as error:
        refused = ("two words", "not needed here", "is a version", "is a file")
        assert any(words in error.message for words in refused)
        return
    again = parse(str(request), cwd="/w", read=lambda path: "six\n")
    assert again == request
    assert str(again) == str(request)
    assert "u:p@" not in request.display()
    assert replace(again, yes=True) != replace(request, yes=False)


@settings(max_examples=examples(300))
@given(text=st.one_of(st.text(), REQUIREMENTS, st.text(alphabet="ab1.-_=<>~!,;:@#[]() '\"")))
def test_whatever_packaging_refuses_is_refused_and_the_rest_is_the_same(text: str) -> None:
    try:
        theirs = Requirement(text.strip())
    except InvalidRequirement:
        theirs = None
    try:
        (item,) = parse(["--allow-stdlib-name", text], cwd="/nowhere").items
    except (RequestError, ValueError):
        return
    if item.kind == "named":
        assert item.requirement == theirs
    elif item.requirement is None:
        assert item.kind in ("url", "vcs")


@settings(max_examples=examples(300))
@given(
    line=st.one_of(st.text(), st.text(alphabet="abrUe1.-_=<>~!,;:@#[]() '\"/$\n\\")),
    body=st.none() | st.text(),
)
def test_any_line_and_cell_is_read_or_refused_safely(line: str, body: str | None) -> None:
    try:
        request = parse(line, body, cwd="/nowhere", environ={"A": "-x"}, read=lambda path: "six\n")
    except RequestError as error:
        assert error.message
        assert error.hint
        return
    for item in (*request.items, *request.constraints):
        assert not item.text.startswith("-")
        assert item.text.isprintable()


@settings(max_examples=examples(300))
@given(
    words=st.lists(
        st.one_of(st.text(max_size=6), st.sampled_from(["-r", "-e", "--", "-U", "--pre", "-i"])),
        max_size=5,
    )
)
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        parse(words, cwd="/nowhere", read=lambda path: "six\n", frontend=TERMINAL)
    except RequestError as error:
        assert error.hint


@pytest.mark.parametrize("blank", ["", " "])
def test_a_url_may_stand_right_behind_the_at_sign(blank: str) -> None:
    (item,) = parse(
        f"'pandas{blank}@{blank}https://h.example/p-1.0.tar.gz'",
        cwd="/",
    ).items
    assert (item.name, item.kind) == ("pandas", "url")


def test_a_bare_folder_name_behind_e_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "my project").mkdir()
    (tmp_path / "my project" / "pyproject.toml").touch()
    (item,) = parse('-e "my project"', cwd=str(tmp_path)).items
    assert (item.kind, item.text) == ("editable", str(tmp_path / "my project"))


@pytest.mark.parametrize(
    ("line", "better"),
    [
        ("--torch-backend auto torch", "%safeinstall torch"),
        ("--exclude-newer 2026-01-01 requests", "%safeinstall requests"),
        ("--timeout 5 six", "%safeinstall six"),
        ("--nobody-knows-it 7 six", "%safeinstall six"),
        ("--no-cache-dir six", "%safeinstall six"),
        ("--torch-backend auto", "%safeinstall --help"),
    ],
)
def test_the_value_of_an_option_that_is_not_ours_is_no_requirement(line: str, better: str) -> None:
    with pytest.raises(RequestError) as error:
        parse(line, cwd="/")
    assert error.value.hint == better


@pytest.mark.parametrize("path", ["./my two folders", "my two folders"])
@pytest.mark.parametrize("line", ["{path}", "-r {path}", "-e {path} six", "six {path}"])
def test_a_path_with_blanks_is_offered_in_quotes(tmp_path: Path, line: str, path: str) -> None:
    (tmp_path / "my two folders").mkdir()
    with pytest.raises(RequestError) as error:
        parse(line.format(path=path), cwd=str(tmp_path))
    quoted = line.format(path='"./my two folders"')
    assert error.value.hint == f"%safeinstall {quoted}"


@pytest.mark.parametrize("word", [["six"], ("six",), None, 6])
@pytest.mark.parametrize("call", [api.install, api.uninstall])
def test_an_argument_of_a_call_that_is_no_text_is_named(call: Any, word: Any) -> None:
    with pytest.raises(RequestError) as caught:
        call(word)
    assert "Each argument is one text" in caught.value.message
    listed = f'safeinstall.{call.__name__}("six")'
    assert (caught.value.hint == listed) is isinstance(word, list | tuple)
