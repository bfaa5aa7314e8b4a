"""What pip and uv are told about versions and files holds, whichever of them does the work."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import Desk
from support import ways
from support.environments import Workshop
from support.indexes import dated
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


def install(
    desk: Desk, *words: str, installer: str = "uv", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Install from a terminal in the folder of the notebooks."""
    line = ("-m", "safeinstall", "install", "--installer", installer, *words)
    known = {**desk.settings, **settings}
    return desk.environment.run(*line, settings=known, cwd=desk.notebooks)


def typed(desk: Desk, said: subprocess.CompletedProcess[str], **settings: str) -> None:
    """Type the first line that was offered; it must succeed."""
    words = shlex.split(ways.lines_to_type(said.stderr or said.stdout)[0])
    known = {**desk.settings, **settings}
    done = desk.environment.run("-m", *words, settings=known, cwd=desk.notebooks)
    assert done.returncode == 0, (words, done.stderr)


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        *(("variable", mode) for mode in ("symlink", "hardlink", "clone", "copy")),
        *((file, "symlink") for file in ("uv.toml", "pyproject.toml")),
    ],
)
def test_an_environment_holds_files_whatever_link_mode_uv_is_told(
    desk: Desk, place: str, mode: str
) -> None:
    line = f'link-mode = "{mode}"\n'
    text = {"uv.toml": line, "pyproject.toml": f"[tool.uv]\n{line}"}.get(place)
    if text:
        (desk.notebooks / place).write_text(text)
    told = {} if text else {"UV_LINK_MODE": mode}
    cache = desk.notebooks / "cache"
    done = install(desk, *desk.offline.split(), "tinypkg", UV_CACHE_DIR=str(cache), **told)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(cache)
    folder = desk.environment.site_packages
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    assert desk.environment.run("-c", "import tinypkg", settings=desk.settings).returncode == 0


UPLOADED = {"1.0": "2024-01-01T00:00:00Z", "2.0": "2026-06-01T00:00:00Z"}
CUTOFFS = {
    "UV_EXCLUDE_NEWER": "2025-01-01",
    "PIP_UPLOADED_PRIOR_TO": "2025-01-01",
    "uv.toml": 'exclude-newer = "2025-01-01"\n',
    "redirecting uv.toml": 'exclude-newer = "2025-01-01"\n[pip]\ntarget = "away"\n',
    "user's uv.toml": '[pip]\nexclude-newer = "2025-01-01T00:00:00Z"\n',
    "pip.conf": "[install]\nuploaded-prior-to = 2025-01-01\n",
}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Serve an index that knows `late` 1.0, 2.0 of 2026, and `needing`, which wants the second."""
    for version in UPLOADED:
        make_wheel(tmp_path / "dated", "late", version)
    make_wheel(tmp_path / "dated", "needing", "1.0", requires=["late>=2"])
    with dated(tmp_path / "dated", UPLOADED) as address:
        yield f"--index-url={address}"


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, desk: Desk, workshop: Workshop) -> str:
    """Either installer, and the newest pip: older ones know no cut-off."""
    if request.param == "pip":
        equip(desk, workshop, "pip>=26", workshop.wheels)
    return str(request.param)


def equip(desk: Desk, workshop: Workshop, pip: str, wheels: Path) -> None:
    """Put the pip that lies in `wheels` into the environment."""
    links = ("--no-index", "--find-links", wheels, "--python", desk.environment.python)
    workshop.run(workshop.uv, "pip", "install", "-q", *links, pip)


def tell(desk: Desk, cutoff: str) -> dict[str, str]:
    """Put the cut-off where it belongs; return the variables."""
    text = CUTOFFS[cutoff]
    if cutoff.isupper():
        return {cutoff: text}
    place = desk.notebooks / cutoff.rpartition(" ")[2]
    if cutoff.startswith("user"):
        place = Path(desk.settings["HOME"], ".config", "uv", "uv.toml")
        place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return {"PIP_CONFIG_FILE": str(place)} if cutoff == "pip.conf" else {}


@pytest.mark.first_line_of("cut-off")
@pytest.mark.parametrize(
    ("installer", "cutoff"),
    [
        *(("uv", cutoff) for cutoff in CUTOFFS),
        # they are read in one place: these show that pip is given them
        *(("pip", cutoff) for cutoff in CUTOFFS if cutoff.isupper() or "user" in cutoff),
    ],
    indirect=["installer"],
)
def test_nothing_uploaded_after_a_cut_off_is_taken_and_the_reason_says_so(
    desk: Desk, index: str, installer: str, cutoff: str
) -> None:
    told = tell(desk, cutoff)
    done = install(desk, index, "--dry-run", "late", installer=installer, **told)
    assert "+ late 1.0" in done.stdout, done.stderr
    done = install(desk, index, "late==2", installer=installer, **told)
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert "late 2.0 was uploaded after 2025-01-0" in said, said
    assert cutoff.rpartition(" ")[2] in said
    assert "The newest before it is 1.0." in said
    assert "late==1.0" in said
    typed(desk, done, **told)
    assert desk.environment.distribution("late", "1.0").exists()
    done = install(
        desk, index, "--uploaded-prior-to", "P0D", "late==2", installer=installer, **told
    )
    assert done.returncode == 0, done.stderr
    assert desk.environment.distribution("late", "2.0").exists()


def test_the_cut_off_in_a_script_is_obeyed_and_the_stricter_holds(
    desk: Desk, index: str, installer: str
) -> None:
    for cutoff, told, wanted in (
        ("2025-01-01", {}, "1.0"),
        ("2025-01-01", {"PIP_UPLOADED_PRIOR_TO": "2026-09-01"}, "1.0"),
        ("2026-09-01", {}, "2.0"),
        ("2026-09-01", {"UV_EXCLUDE_NEWER": "2025-01-01"}, "1.0"),
    ):
        block = f'# dependencies = ["late"]\n# [tool.uv]\n# exclude-newer = "{cutoff}"\n'
        (desk.notebooks / "late.py").write_text(f"# /// script\n{block}# ///\n")
        words = (index, "--dry-run", "-r", "late.py")
        done = install(desk, *words, installer=installer, **told)
        assert f"+ late {wanted}" in done.stdout, done.stdout + done.stderr
        assert "not obeyed" not in done.stdout
    (desk.notebooks / "late.py").write_text(
        f"# /// script\n{block.replace('2026-09', '2023-09')}# ///\n"
    )
    done = install(desk, index, "-r", "late.py", installer=installer)
    assert "the cut-off set by exclude-newer in late.py" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[global]\nindex-url = https://mine.example/simple\nno-index\n", 3),
        ("index-url = https://mine.example/simple\n", 1),
        ("[global\nindex-url = https://mine.example/simple\n", 1),
        ("[global]\ntimeout = 1\ntimeout = 2\n", 3),
        ("[global]\ntimeout = 1\n[global]\npre = 1\n", 3),
    ],
)
def test_settings_that_cannot_be_read_are_not_guessed(
    desk: Desk, installer: str, text: str, line: int
) -> None:
    file = desk.notebooks / "pip.conf"
    file.write_text(text)
    told = {"PIP_CONFIG_FILE": str(file)}
    done = install(desk, *desk.offline.split(), "tinypkg", installer=installer, **told)
    said = " ".join(done.stderr.split())
    assert f"Line {line} of " in said and "pip.conf cannot be read" in said, said
    assert done.returncode == 1
    asked = desk.environment.run("-m", "pip", "download", "x", settings={**desk.settings, **told})
    assert "Configuration file" in asked.stderr, "pip can read it"
    where = ("-m", "safeinstall", "where", "--cell", "%pip install x")
    judged = desk.environment.run(*where, settings={**desk.settings, **told})
    assert f"line {line} of" in judged.stdout.lower(), judged.stdout


@pytest.mark.parametrize("setting", ["PIP_REQUIRE_HASHES", "UV_REQUIRE_HASHES", "pip.conf"])
def test_a_setting_that_asks_for_hashes_holds_whoever_does_the_work(
    desk: Desk, installer: str, setting: str
) -> None:
    told = {setting: "1"}
    if setting == "pip.conf":
        (desk.notebooks / setting).write_text("[install]\nrequire-hashes = true\n")
        told = {"PIP_CONFIG_FILE": str(desk.notebooks / setting)}
    words = (*desk.offline.split(), "tinypkg==1.0")
    done = install(desk, *words, installer=installer, **told)
    said = " ".join(done.stderr.split())
    assert "tinypkg==1.0 has no hash: " in said and "asks for one of each" in said, said
    assert setting in said
    digest = hashlib.sha256(next(desk.wheels.glob("tinypkg-*.whl")).read_bytes()).hexdigest()
    words = (*words, f"--hash=sha256:{digest}")
    done = install(desk, *words, installer=installer, **told)
    assert done.returncode == 0, done.stderr


def test_wheels_that_are_not_allowed_are_the_reason(desk: Desk, index: str) -> None:
    done = install(desk, index, "late", PIP_NO_BINARY=":all:")
    assert "late has no source archive, and its wheels are not allowed" in " ".join(
        done.stderr.split()
    )


def test_a_dependency_behind_the_cut_off_is_named(desk: Desk, index: str, installer: str) -> None:
    done = install(desk, index, "needing", installer=installer, PIP_UPLOADED_PRIOR_TO="2025-01-01")
    assert "late 2.0 was uploaded after 2025-01-01" in done.stderr
    assert f"--uploaded-prior-to P0D --installer {installer} needing" in done.stderr


def test_an_index_without_upload_times_is_named_as_the_reason(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    make_wheel(tmp_path / "dated", "late", "3.0")
    with dated(tmp_path / "dated", {}) as address:
        told = {"UV_EXCLUDE_NEWER": "2025-01-01"}
        done = install(desk, f"--index-url={address}", "late", installer=installer, **told)
    assert "does not say when late 3.0 was uploaded, and UV_EXCLUDE_NEWER" in " ".join(
        done.stderr.split()
    )


@pytest.mark.first_line_of("cut-off-unreadable")
def test_a_cut_off_that_is_no_date_is_refused(desk: Desk, index: str, installer: str) -> None:
    told = {"PIP_UPLOADED_PRIOR_TO": "last summer"}
    done = install(desk, index, "late", installer=installer, **told)
    assert "PIP_UPLOADED_PRIOR_TO says last summer" in done.stderr
    assert done.returncode == 1
    typed(desk, done, **told)
    assert desk.environment.distribution("late", "2.0").exists()


@pytest.mark.first_line_of("constrained")
@pytest.mark.parametrize("place", ["PIP_CONSTRAINT", "UV_CONSTRAINT", "pip.conf", "-c"])
def test_the_constraint_that_makes_it_impossible_is_named(
    desk: Desk, index: str, installer: str, place: str
) -> None:
    limits = desk.notebooks / "limits.txt"
    limits.write_text("late<2\n")
    told, words = {place: str(limits)}, []
    if place == "pip.conf":
        (desk.notebooks / place).write_text(f"[global]\nconstraint = {limits}\n")
        told = {"PIP_CONFIG_FILE": str(desk.notebooks / place)}
    elif place == "-c":
        told, words = {}, ["-c", "limits.txt"]
    for asked, newest in (("needing", "rules out"), ("late==2", "newest it allows is 1.0")):
        done = install(desk, index, *words, asked, installer=installer, **told)
        said = " ".join(done.stderr.split())
        assert done.returncode == 1
        assert "late<2 in" in said, said
        assert place in said.partition("limits.txt (")[2]
        assert newest in said
    typed(desk, done, **told)
    assert desk.environment.distribution("late", "1.0").exists()


def test_constraints_of_pip_and_of_uv_hold_together(desk: Desk, index: str, installer: str) -> None:
    (desk.notebooks / "one.txt").write_text("other<2\n")
    (desk.notebooks / "two.txt").write_text("late<2\n")
    told = {"PIP_CONSTRAINT": "one.txt", "UV_CONSTRAINT": "two.txt"}
    done = install(desk, index, "--dry-run", "late", installer=installer, **told)
    assert "+ late 1.0" in done.stdout, done.stderr


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/limits.txt", "{index}limits.txt", "no.txt"])
def test_constraints_that_cannot_be_had_are_not_taken_for_the_index(
    desk: Desk, index: str, installer: str, place: str
) -> None:
    place = place.format(index=index.partition("=")[2])
    done = install(desk, index, "late", installer=installer, PIP_CONSTRAINT=place)
    said = " ".join(done.stderr.split())
    assert f"{place} (PIP_CONSTRAINT) cannot be read" in said, said
    assert done.returncode == 1


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses_is_not_one_without_the_package(
    desk: Desk, index: str, installer: str, status: int
) -> None:
    with dated(desk.wheels, {}, status) as address:
        done = install(desk, f"--index-url={address}", "late", installer=installer)
        assert "wants other credentials" in " ".join(done.stderr.split()), done.stderr
        for asked in ("late==3", "nowhere-at-all"):
            words = (index, f"--extra-index-url={address}", asked)
            done = install(desk, *words, installer=installer)
            assert "wants other credentials" in " ".join(done.stderr.split()), done.stderr


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_index_in_trouble_is_not_one_without_the_package(
    desk: Desk, index: str, installer: str, status: int
) -> None:
    with dated(desk.wheels, {}, status) as address:
        for words in ((f"--index-url={address}",), (index, f"--extra-index-url={address}")):
            done = install(desk, *words, "late==3", installer=installer)
            assert "answered" in done.stderr, done.stderr
            assert "with an error" in " ".join(done.stderr.split()), done.stderr
            assert "There is no" not in done.stderr


@pytest.mark.parametrize(
    ("address", "says"),
    [("nothttp://x/", "no address"), ("http://no-such-host.invalid/simple/", "host.invalid")],
)
def test_an_index_that_cannot_be_one_is_not_one_without_the_package(
    desk: Desk, installer: str, address: str, says: str
) -> None:
    done = install(desk, f"--index-url={address}", "late", installer=installer)
    assert says in " ".join(done.stderr.split()), done.stderr
    assert "There is no package" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("UV_OVERRIDE", "say late 1.0 instead"),
        ("UV_EXCLUDE", "leave it out"),
        ("override-dependencies", "say late 1.0 instead"),
        ("exclude-dependencies", "leave it out"),
    ],
)
def test_what_uvs_settings_put_in_its_place_is_not_what_was_asked_for(
    desk: Desk, index: str, setting: str, says: str
) -> None:
    says_what = "late" if "xclude" in setting.lower() else "late<2"
    told = {}
    if setting.isupper():
        (desk.notebooks / "other.txt").write_text(f"{says_what}\n")
        told = {setting: "other.txt"}
    else:
        (desk.notebooks / "uv.toml").write_text(f'{setting} = ["{says_what}"]\n')
    for words in (("late==2",), ("--dry-run", "late==2")):
        done = install(desk, index, *words, **told)
        said = " ".join((done.stdout + done.stderr).split())
        assert f"late==2 was asked for, and {setting}" in said, said
        assert says in said
    assert done.returncode == 1 or "--dry-run" in words
    assert not list(desk.environment.site_packages.glob("late-*"))


@pytest.mark.parametrize("file", ["uv.toml", "pyproject.toml"])
def test_the_constraints_in_uvs_own_files_are_named(desk: Desk, index: str, file: str) -> None:
    table = "" if file == "uv.toml" else "[tool.uv]\n"
    text = f'{table}constraint-dependencies = [\n  "late<2",\n]\n'
    (desk.notebooks / file).write_text(text)
    done = install(desk, index, "late==2")
    said = " ".join(done.stderr.split())
    assert "late 2.0 is ruled out by constraint-dependencies in" in said, said
    assert file in said
    assert "The newest it allows is 1.0." in said
    assert done.returncode == 1


def test_a_pip_too_old_for_a_cut_off_is_not_used(
    desk: Desk, workshop: Workshop, index: str
) -> None:
    make_wheel(desk.wheels, "pip", "25.3")  # nothing of it but its version is ever looked at
    equip(desk, workshop, "pip==25.3", desk.wheels)
    told = {"UV_EXCLUDE_NEWER": "2025-01-01"}
    done = install(desk, index, "late", installer="pip", **told)
    assert "pip is too old for the cut-off that UV_EXCLUDE_NEWER sets" in done.stderr
    assert not desk.environment.distribution("late", "2.0").exists()
    done = install(desk, index, "late", installer="auto", **told)
    assert desk.environment.distribution("late", "1.0").exists(), done.stderr


def test_a_cut_off_of_one_package_is_kept_by_uv_alone(desk: Desk, index: str) -> None:
    line = 'exclude-newer-package = { Late = "2025-01-01" }\n[pip]\ntarget = "away"\n'
    (desk.notebooks / "uv.toml").write_text(line)
    done = install(desk, index, "late", installer="pip")
    assert "Only uv knows cut-offs of single packages" in done.stderr
    done = install(desk, index, "late==2")
    assert "late 2.0 was uploaded after 2025-01-02" in done.stderr
    done = install(desk, index, "late")
    assert desk.environment.distribution("late", "1.0").exists(), done.stderr


@pytest.mark.first_line_of("index-not-asked")
def test_an_index_that_is_typed_for_what_is_there_is_said_not_to_be_asked(
    desk: Desk, index: str
) -> None:
    assert install(desk, index, "late==1").returncode == 0
    done = install(desk, index, "late")
    assert "late 1.0 is already in" in done.stdout
    assert "--index-url was not asked: what is installed meets the request." in done.stdout
    typed(desk, done)
    assert desk.environment.distribution("late", "2.0").exists()
    assert "not asked" not in install(desk, "late").stdout


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_one_hash_asks_for_all_of_them_as_in_pip(desk: Desk, installer: str) -> None:
    wheel = next(desk.wheels.glob("tinypkg-*.whl"))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    make_wheel(desk.wheels, "bare")
    make_wheel(desk.wheels, "wanting", requires=["bare"])
    other = hashlib.sha256(next(desk.wheels.glob("wanting-*")).read_bytes()).hexdigest()
    lines = f"tinypkg==1.0 --hash=sha256:{digest}\n"
    elsewhere = "bare==1.0; sys_platform == 'nowhere'\n"
    file = desk.notebooks / "r.txt"
    for rest, words in (
        ("bare==1.0\n", "r.txt:2: bare==1.0 has no hash"),
        (f"wanting==1.0 --hash=sha256:{other}\n", "bare"),
    ):
        file.write_text(lines + rest)
        done = install(desk, *desk.offline.split(), "-r", "r.txt", installer=installer)
        assert words in " ".join(done.stderr.split()), done.stderr
        assert not desk.environment.distribution("tinypkg").exists()
    file.write_text(lines + elsewhere)
    done = install(desk, *desk.offline.split(), "-r", "r.txt", installer=installer)
    assert desk.environment.distribution("tinypkg").exists(), done.stderr
