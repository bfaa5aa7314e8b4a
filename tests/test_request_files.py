"""Requirements files: read as pip reads them, but options in them are nobody's wish."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeinstall.errors import RequestError
from safeinstall.request import InstallRequest, parse
from support.examples import examples

HASH = "sha256:" + "ab" * 32
Reader = Callable[..., InstallRequest]


def files(**texts: str) -> Reader:
    """Return `parse` in a folder that holds these files, `_` in their names for `.`."""

    def read(path: str) -> str:
        name = Path(path).name.replace(".", "_")
        if name not in texts:
            raise FileNotFoundError(2, "No such file", path)
        return texts[name]

    def reader(line: str, body: str | None = None, **variables: str) -> InstallRequest:
        return parse(line, body, cwd="/w", read=read, environ=variables)

    return reader


def texts(request: InstallRequest) -> list[str]:
    return [str(item) for item in request.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "six\n\n# c\n  numpy>=2  # why\n", ["six", "numpy>=2"], id="comments-and-blanks"
        ),
        pytest.param("\ufeffsix\r\nnumpy\r\n", ["six", "numpy"], id="bom-and-crlf"),
        pytest.param("numpy>=2,\\\n<3\n", ["numpy<3,>=2"], id="continued"),
        pytest.param("six \\\n# c\nnumpy", ["six", "numpy"], id="comment-ends-a-continued-line"),
        pytest.param("six\\", ["six"], id="continued-into-nothing"),
        pytest.param('tomli; python_version < "3"', ['tomli; python_version < "3"'], id="marker"),
        pytest.param(
            "a @ https://h/a.whl#sha256=ab", ["a @ https://h/a.whl#sha256=ab"], id="fragment"
        ),
        pytest.param("six\nsix", ["six", "six"], id="two-lines-are-two-origins"),
        pytest.param(
            "dataclasses; python_version < '3.7'\nargparse",
            ['dataclasses; python_version < "3.7"', "argparse"],
            id="stdlib-names",
        ),
        pytest.param("", [], id="empty"),
    ],
)
def test_a_file_lists_what_it_lists(text: str, expected: list[str]) -> None:
    assert texts(files(r_txt=text)("-r r.txt")) == expected


def test_items_say_where_they_came_from() -> None:
    request = files(r_txt="\nsix\n-r more.txt", more_txt=f"a==1 \\\n  --hash={HASH}")("b -r r.txt")
    assert [(item.origin, item.typed) for item in request.items] == [
        ("typed", True),
        ("r.txt:2", False),
        ("more.txt:1", False),
    ]
    assert request.items[2].hashes == (HASH,)
    assert request.requirement_files == ("/w/r.txt",)


def test_nested_files_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "all.txt").write_text("-r base.txt\n-c pins.txt\n", "utf-8")
    (tmp_path / "deps" / "base.txt").write_text("six\n", "utf-8")
    (tmp_path / "deps" / "pins.txt").write_text("six==1.17\n", "utf-8")
    request = parse("-r deps/all.txt", cwd=tmp_path)
    assert [item.origin for item in request.items] == ["deps/base.txt:1"]
    assert [str(item) for item in request.constraints] == ["six==1.17"]
    assert request.constraint_files == (str(tmp_path / "deps" / "pins.txt"),)


def test_a_variable_is_filled_in_and_hidden() -> None:
    read = files(r_txt="a @ https://h/${TOKEN}/a.whl\nb @ https://h/${unset}/$TOKEN/${MISSING}.whl")
    request = read("-r r.txt", TOKEN="hunter22", unset="no")
    assert texts(request)[0] == "a @ https://h/hunter22/a.whl"
    assert texts(request)[1] == "b @ https://h/${unset}/$TOKEN/${MISSING}.whl"
    assert "hunter22" not in request.display()
    assert request.secrets == ("hunter22",)


def test_a_version_from_a_variable_is_no_secret() -> None:
    request = files()("", "numpy==${VERSION}", VERSION="1.26.4")
    assert request.display() == "numpy==1.26.4"
    assert request.secrets == ()


def test_a_variable_cannot_bring_an_option() -> None:
    with pytest.raises(RequestError, match="filled in with an option"):
        files(r_txt="${X}")("-r r.txt", X="--index-url=https://evil")
    with pytest.raises(RequestError, match="filled in with an option"):
        files()("", "${X}", X="--yes")


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("--index-url https://evil/simple", "--index-url https://evil/simple"),
        ("-i https://evil/simple", "--index-url https://evil/simple"),
        ("--extra-index-url=https://evil/simple", "--extra-index-url https://evil/simple"),
        ("--find-links ./wheels", "--find-links ./wheels"),
        ("--trusted-host evil", "--trusted-host evil"),
        ("--pre", "--pre"),
        ("--no-index", "--no-index"),
        ("-e git+https://h/x", "--editable git+https://h/x"),
    ],
    ids=lambda text: text.split()[0].split("=")[0],
)
def test_an_option_in_a_file_counts_only_if_typed_too(line: str, typed: str) -> None:
    read = files(r_txt=f"six\n{line}")
    with pytest.raises(RequestError) as caught:
        read("-r r.txt")
    error = caught.value
    assert error.code == "file-option"
    assert error.message == f"r.txt:2 asks for {typed}: type it too if you want it."
    assert error.hint == f"%safeinstall -r r.txt {typed}"
    accepted = read(error.hint.removeprefix("%safeinstall "))
    assert "six" in texts(accepted)
    obeyed = read(error.context.removeprefix("%safeinstall "))
    assert (
        obeyed.index_url
        + "".join(obeyed.extra_index_urls + obeyed.find_links + obeyed.trusted_hosts)
        or obeyed.pre
        or obeyed.no_index
        or texts(obeyed)[-1] == "git+https://h/x"
    )


def test_the_same_option_with_another_value_was_not_typed() -> None:
    with pytest.raises(RequestError, match="evil"):
        files(r_txt="--index-url https://evil/s")("-r r.txt -i https://good/s")


def test_a_typed_value_stays_when_a_file_has_another() -> None:
    request = files(r_txt="-i https://file/s\nsix")(
        "--allow-file-options -i https://typed/s -r r.txt"
    )
    assert request.index_url == "https://typed/s"


def test_secrets_of_a_file_are_not_shown_in_the_refusal() -> None:
    with pytest.raises(RequestError) as caught:
        files(r_txt="-i https://u:${PW}@h/s")("-r r.txt", PW="hunter22")
    error = caught.value
    assert "hunter22" not in error.message + error.hint + error.context


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("six\nnumpy=1", "r.txt:2: `numpy=1` has = where == belongs.", id="one-equals"),
        pytest.param("-r r.txt", "r.txt includes itself.", id="itself"),
        pytest.param("-r nope.txt", "r.txt:1: There is no file nope.txt.", id="nested-missing"),
        pytest.param(
            "-r https://h/r.txt",
            "r.txt:1: https://h/r.txt is an address: fetch the file first.",
            id="address",
        ),
        pytest.param(
            "--yes", "r.txt:1: --yes does not belong into a file: type it.", id="our-option"
        ),
        pytest.param(
            "--only-binary :all:", "r.txt:1: --only-binary is no option here.", id="unknown"
        ),
        pytest.param(
            "six --pre", "r.txt:1: --pre does not belong behind a requirement.", id="behind"
        ),
        pytest.param(
            "six --hash md5:00",
            "r.txt:1: `md5:00` is no hash: write sha256: and 64 hexadecimal digits.",
            id="weak-hash",
        ),
        pytest.param(
            "six; rm x", "r.txt:1: `;` is not special here: safeinstall runs no shell.", id="shell"
        ),
        pytest.param(
            "--pre six", "r.txt:1: `six` does not belong behind an option.", id="name-behind-option"
        ),
    ],
)
def test_what_is_wrong_in_a_file_names_the_line(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        files(r_txt=text)("-r r.txt")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "number", "better"),
    [
        pytest.param("six\nnumpy=>2", 2, "numpy>=2", id="turned"),
        pytest.param(f"numpy=1 --hash={HASH}", 1, f"numpy==1 --hash={HASH}", id="with-a-hash"),
        pytest.param("numpy>=1,,<2  # why", 1, "numpy>=1,<2", id="with-a-comment"),
        pytest.param("six; rm x", 1, "six", id="shell"),
        pytest.param("./pgk", 1, "./pkg", id="path"),
        pytest.param("--pree", 1, "--pre", id="option"),
        pytest.param("-r deps/bsae.txt", 1, "-r deps/base.txt", id="included"),
        pytest.param("six\n-r deps/all.txt", 2, "-r base.txt", id="included-by-an-included-one"),
    ],
)
def test_a_fault_in_a_file_offers_that_line_put_right(
    text: str, number: int, better: str, tmp_path: Path
) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "setup.py").touch()
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "base.txt").write_text("six", "utf-8")
    (tmp_path / "deps" / "all.txt").write_text("a\n-r bsae.txt", "utf-8")
    (tmp_path / "r.txt").write_text(text, "utf-8")
    with pytest.raises(RequestError) as caught:
        parse("-U --pre -r r.txt", cwd=tmp_path)
    wrong = "deps/all.txt" if better == "-r base.txt" else "r.txt"
    assert caught.value.context.splitlines()[-1] == f"Write into line {number} of {wrong}: {better}"
    assert caught.value.hint == "%safeinstall -U --pre -r r.txt"
    lines = (tmp_path / wrong).read_text("utf-8").splitlines()
    lines[number - 1] = better
    (tmp_path / wrong).write_text("\n".join(lines), "utf-8")
    parse(caught.value.hint.removeprefix("%safeinstall "), cwd=tmp_path)


@pytest.mark.parametrize("text", [">=2", "--only-binary :all:", "six --hash='x", "a${V} b=1"])
def test_a_fault_in_a_file_that_cannot_be_put_right_is_to_be_taken_out(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        files(r_txt=f"six\n{text}")("-r r.txt", V="://hunter22")
    assert caught.value.context.endswith("Put line 2 of r.txt right, or take it out.")
    assert caught.value.hint == "%safeinstall -r r.txt"
    assert "hunter22" not in caught.value.context + caught.value.message


@pytest.mark.parametrize("line", ["-e ./x", "./x.whl"], ids=["editable", "path"])
def test_a_constraint_has_a_name(line: str, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "setup.py").touch()
    (tmp_path / "x.whl").touch()
    (tmp_path / "c.txt").write_text(line, "utf-8")
    with pytest.raises(RequestError, match=r"c\.txt:1"):
        parse("six -c c.txt", cwd=tmp_path)


def test_a_missing_file_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six", "utf-8")
    with pytest.raises(RequestError) as caught:
        parse("-U -r requirments.txt", cwd=tmp_path)
    assert caught.value.message == "There is no file requirments.txt."
    assert caught.value.hint == "%safeinstall -U -r requirements.txt"


def test_a_missing_file_is_not_named_with_one_that_only_ends_alike(tmp_path: Path) -> None:
    for name in ("deps.txt", "six-1.0-py3-none-any.whl"):
        (tmp_path / name).write_text("six", "utf-8")
    for line in ("-r notes.txt", "-r dev.txt", "./gone-1.0-py3-none-any.whl"):
        with pytest.raises(RequestError) as caught:
            parse(line, cwd=tmp_path)
        assert caught.value.hint == "%safeinstall --help"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(codecs.BOM_UTF8 + b"six", "", id="utf-8-mark"),
        pytest.param("six".encode("utf-16"), "", id="utf-16"),
        pytest.param(codecs.BOM_UTF32_LE + "six".encode("utf-32-le"), "", id="utf-32"),
        pytest.param("# -*- coding: latin-1 -*-\nsix # é".encode("latin-1"), "", id="coding-line"),
        pytest.param(b"six # \xe9", "r.txt is not utf-8 text (byte 6).", id="not-utf-8"),
        pytest.param(
            b"# coding: klingon\nsix",
            "r.txt names an encoding that Python does not know.",
            id="unknown-coding",
        ),
    ],
)
def test_encodings(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_bytes(data)
    if message:
        with pytest.raises(RequestError) as caught:
            parse("-r r.txt", cwd=tmp_path)
        assert caught.value.message == message
    else:
        assert texts(parse("-r r.txt", cwd=tmp_path)) == ["six"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    with pytest.raises(RequestError, match=r"^r is a folder, not a file\.$"):
        parse("-r r", cwd=tmp_path)


LINES = st.sampled_from(
    [
        "six",
        "numpy>=2,<3",
        "a [x,y] >= 1",
        "# c",
        "",
        "  ",
        "b==1 # c",
        "c\\",
        "d\\ ",
        "\\",
        "e \\",
        "f; os_name == 'nt'",
        "g @ https://h/g.whl#x=1",
        f"h==1 --hash={HASH}",
        "#\\",
        " # c \\",
        "i==${V}",
        "j==${v}",
        "k#c",
        "l ~= 1.0",
    ]
)


@settings(max_examples=examples(150), deadline=None)
@given(lines=st.lists(LINES, max_size=8), end=st.sampled_from(["\n", "\r\n"]))
def test_accepted_files_are_read_as_pip_reads_them(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str
) -> None:
    from packaging.requirements import Requirement
    from pip._internal.network.session import PipSession
    from pip._internal.req.req_file import parse_requirements

    path = tmp_path_factory.getbasetemp() / "differential.txt"
    path.write_bytes(end.join(lines).encode())
    try:
        request = parse(["-r", str(path)], cwd=path.parent)
    except RequestError:
        return
    theirs = [
        (Requirement(each.requirement), (each.options or {}).get("hashes", {}))
        for each in parse_requirements(str(path), session=PipSession())
    ]
    ours = [
        (item.requirement, {"sha256": [HASH[7:]]} if item.hashes else {}) for item in request.items
    ]
    assert ours == theirs


@given(text=st.text(), variable=st.text())
def test_any_file_is_read_or_refused(text: str, variable: str) -> None:
    try:
        request = files(r_txt=text)("-r r.txt", X=variable)
    except RequestError as error:
        assert error.message
    else:
        assert not any(str(item).startswith("-") for item in request.items)
