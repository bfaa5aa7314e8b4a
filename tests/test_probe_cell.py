"""Which commands are found in the source of a cell, as IPython would run it."""

from __future__ import annotations

import pytest

from safeinstall.probe.cell import Step, cell_steps, mentions_installer

KNOWN = {"sys.executable": "/k/bin/python"}


def steps(cell: str) -> list[Step]:
    return cell_steps(cell, KNOWN)


def kinds(cell: str) -> list[tuple[str, str]]:
    return [(step.kind, step.text) for step in steps(cell)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%pip install six", [("pip", "install six")]),
        ("pip install six", [("pip", "install six")]),
        ("uv pip install six", [("uv", "pip install six")]),
        ("!pip install six", [("shell", "pip install six")]),
        ("!!pip install six", [("shell", "pip install six")]),
        ("   !pip install six", [("shell", "pip install six")]),
        ("out = !pip install six", [("shell", "pip install six")]),
        ("out = %pip install six", [("pip", "install six")]),
        ("%sx pip install six", [("shell", "pip install six")]),
        ("%time %pip install six", [("pip", "install six")]),
        ("%conda install six", [("conda", "install six")]),
        ("%mamba install six", [("mamba", "install six")]),
        ("!pip install a \\\n   b", [("shell", "pip install a b")]),
        ("!{sys.executable} -m pip install six", [("shell", "/k/bin/python -m pip install six")]),
        ("!$sys.executable -m pip install six", [("shell", "/k/bin/python -m pip install six")]),
        ("!pip install {what}", [("shell", "pip install $({what})")]),
        ('what = "six"\n!pip install {what}', [("shell", "pip install six")]),
        ("if True:\n    !pip install six\nelse:\n    pass", [("shell", "pip install six")]),
        ("%env PIP_USER=1\n%pip install six", [("setenv", "1"), ("pip", "install six")]),
        ("%cd sub\n%pip install six", [("chdir", "sub"), ("pip", "install six")]),
    ],
)
def test_install_lines_are_found(cell: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "# !pip install six",
        "text = '''\n!pip install six\n'''",
        "call(\n%pip\n)",
        "x = 1\npip install six",
        "pip = 3",
        "%%writefile a.sh\npip install six",
        "%%html\n<p>!pip install six</p>",
        "print('pip install six')",
        "%%timeit\nx = 'pip'",
    ],
    ids=repr,
)
def test_what_ipython_would_not_run_is_not_found(cell: str) -> None:
    assert kinds(cell) == []


@pytest.mark.parametrize("magic", ["bash", "sh", "script bash", "script --no-raise-error bash"])
def test_the_body_of_a_script_magic_is_shell_text(magic: str) -> None:
    (step,) = steps(f"%%{magic}\npip install six\n")
    assert (step.kind, step.text, step.line) == ("script", "pip install six\n", 2)


def test_a_wrapping_cell_magic_keeps_its_body_and_its_line_numbers() -> None:
    (step,) = steps("\n%%capture out\nx = 1\n%pip install six")
    assert (step.kind, step.line) == ("pip", 4)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("import os\nos.system('pip install six')", "script"),
        ("import subprocess\nsubprocess.run('pip install six', shell=True)", "script"),
        ("import subprocess as s\ns.check_call(['pip', 'install', 'six'])", "argv"),
        ("import subprocess as s\ns.run('pip install six'.split())", "argv"),
        ("import pip\npip.main(['install', 'six'])", "argv"),
        ("get_ipython().system('pip install six')", "shell"),
        ("get_ipython().run_line_magic('pip', 'install six')", "pip"),
        ("get_ipython().run_line_magic('sx', 'pip install six')", "shell"),
        ("get_ipython().run_cell_magic('bash', '', 'pip install six')", "script"),
        ("from os import system as s\ns('pip install six')", "script"),
        ("from subprocess import run as r\nr(['pip', 'install', 'six'])", "argv"),
        ("from pip._internal import main as p\np(['install', 'six'])", "argv"),
        ("c = ['pip', 'install', 'six']\nsubprocess.run(c)", "argv"),
        ("c = 'pip install six'.split()\nsubprocess.run(c)", "argv"),
        ("c = ['pip', 'install', 'six']\nsubprocess.run([*c, '-q'])", "argv"),
        ("await asyncio.create_subprocess_shell('pip install six')", "script"),
        ("await asyncio.create_subprocess_exec('pip', 'install', 'six')", "argv"),
        ("c = ['pip', 'install', 'six']\nawait asyncio.create_subprocess_exec(*c)", "argv"),
        ("import os\nos.execvp('pip', ['pip', 'install', 'six'])", "argv"),
        ("import os\nos.spawnvp(os.P_WAIT, 'pip', ['pip', 'install', 'six'])", "argv"),
    ],
)
def test_installers_started_from_python_are_found(cell: str, kind: str) -> None:
    (step,) = steps(cell)
    assert (step.kind, step.line) == (kind, cell.count("\n") + 1)


@pytest.mark.parametrize(
    "cell",
    [
        "c = ['pip', 'install']\nc.append('six')\nsubprocess.run(c)",
        "c = ['pip', 'install']\nc += ['six']\nsubprocess.run(c)",
        "c = ['pip']\nc[0] = 'ls'\nsubprocess.run(c)",
        "c = ['pip', 'install']\ndef f(c):\n    subprocess.run(c)",
        "for c in ['pip', 'install']:\n    subprocess.run(c)",
    ],
)
def test_a_list_that_is_changed_after_it_is_written_is_not_taken_for_what_runs(cell: str) -> None:
    assert steps(cell) == []


def test_unknown_words_of_an_argument_list_are_marked() -> None:
    (step,) = steps("import subprocess\nsubprocess.run([sys.executable, '-m', 'pip', name])")
    assert step.argv[0] == ("/k/bin/python", True)
    assert step.argv[-1] == ("{name}", False)


def test_a_variable_set_in_python_counts() -> None:
    found = steps("import os\nos.environ['PIP_USER'] = '1'\n%pip install six")
    first = found[0]
    assert (first.kind, first.name, first.text) == ("setenv", "PIP_USER", "1")


def test_the_gate_is_passed_by_every_tool_and_by_nothing_else() -> None:
    assert all(mentions_installer(tool) for tool in ("pip", "uv", "conda", "micromamba"))
    assert not mentions_installer("import numpy as np\nnp.zeros(3)")
