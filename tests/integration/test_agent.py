"""The panel's question in real kernels: what it answers, how fast, and that it leaves no trace."""

from __future__ import annotations

import json
import runpy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import kernels
from support.environments import CHECKOUT, Environment, Workshop, server_settings
from support.wheelhouse import OLDEST

pytestmark = pytest.mark.integration

REPLY = "application/vnd.safeinstall.reply+json"
TRACES = """
import sys as _s, json as _j
print(_j.dumps({
    "names": sorted(k for k in globals() if not k.startswith("_")),
    "path": _s.path,
    "inputs": len(In),
}))
"""


def payload() -> dict[str, str]:
    """What the build puts into the panel, made from the sources as they are now."""
    made: dict[str, str] = runpy.run_path(str(CHECKOUT / "js" / "payload.py"))["payload"]()
    return made


def expression(method: str, params: dict[str, Any], *, archive: bool = True) -> str:
    """What `js/src/question.ts` sends."""
    sent = payload()
    question = json.dumps({"method": method, "params": params})
    values = [sent["version"], sent["digest"], sent["archive"] if archive else "", question]
    arguments = ", ".join(map(json.dumps, values))
    return (
        f"(lambda b: (lambda d: (b.exec({json.dumps(sent['loader'])}, d), d['answer']({arguments}))"
        "[1])({'__name__': '_safeinstall_loader'}))(__import__('builtins'))"
    )


def ask(kernel: kernels.Kernel, method: str, *, archive: bool = True, **params: Any) -> Any:
    client = kernel._client
    q = expression(method, params, archive=archive)
    request = client.execute("", silent=True, store_history=False, user_expressions={"q": q})
    while True:
        reply = client.get_shell_msg(timeout=30)
        if reply["parent_header"].get("msg_id") == request:
            break
    answer = reply["content"]["user_expressions"]["q"]
    assert answer["status"] == "ok", answer
    return answer["data"][REPLY]


@pytest.fixture(params=[("ipykernel",), OLDEST], ids=["newest", "oldest"])
def bare(
    request: pytest.FixtureRequest, workshop: Workshop, tmp_path: Path
) -> Iterator[kernels.Kernel]:
    """A kernel whose environment has neither safeinstall nor pip."""
    prefix = tmp_path / "bare"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, prefix)
    workshop.bring(prefix / "bin" / "python", *request.param)
    environment = Environment(prefix=prefix, kind="uv-venv", base=workshop.base.parent.parent)
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    settings = server_settings(workshop.server, tmp_path / "home")
    with kernels.start(environment.python, settings, notebooks) as kernel:
        yield kernel


def test_a_kernel_that_never_heard_of_safeinstall_answers_and_nothing_is_left_behind(
    bare: kernels.Kernel, tmp_path: Path
) -> None:
    shadowed = bare.run("exec = type = open = json = str = None; x = 1")
    assert shadowed.ok
    before = json.loads(bare.run(TRACES).stdout)
    assert ask(bare, "facts", archive=False) == {"need": "archive"}
    facts = ask(bare, "facts")["value"]
    assert facts["executable"] == str(tmp_path / "bare" / "bin" / "python")
    assert facts["verdict"]["state"] in ("yes", "care")
    begun = time.perf_counter()
    assert ask(bare, "facts", archive=False)["value"]["prefix"] == facts["prefix"]
    again = time.perf_counter() - begun
    after = json.loads(bare.run(TRACES).stdout)
    assert after["inputs"] == before["inputs"] + 1
    del before["inputs"], after["inputs"]
    assert after == before
    assert again < 1
    cache = next((tmp_path / "home" / ".cache" / "safeinstall" / "panel").iterdir())
    assert cache.parent.stat().st_mode & 0o077 == 0
    assert bare.run("%safeinstall").ok  # the magic is there, too


def test_what_the_kernel_runs_is_the_sources_of_this_checkout(bare: kernels.Kernel) -> None:
    ask(bare, "facts")
    found = bare.run("import safeinstall; print(safeinstall.__file__)").stdout.strip()
    assert payload()["digest"] in found
    assert ask(bare, "packages")["value"]
    assert ask(bare, "history")["value"] == []
    assert ask(bare, "no-such-method")["error"]["code"] == "no-method"


@pytest.mark.first_line_of("not-on-path")
def test_a_user_site_that_came_after_the_kernel_is_made_importable(
    workshop: Workshop, tmp_path: Path
) -> None:
    prefix = tmp_path / "wide"
    base = workshop.base
    workshop.run(workshop.uv, "venv", "-q", "--system-site-packages", "--python", base, prefix)
    links = ("--no-index", "--find-links", workshop.wheels)
    workshop.run(
        workshop.uv, "pip", "install", "-q", *links, "--python", prefix / "bin/python", "ipykernel"
    )
    notebooks, home = tmp_path / "notebooks", tmp_path / "home"
    notebooks.mkdir()
    settings = server_settings(workshop.server, home)
    with kernels.start(prefix / "bin" / "python", settings, notebooks) as kernel:
        assert ask(kernel, "facts")["value"]["findings"] == []
        user = Path(kernel.run("import site; print(site.getusersitepackages())").stdout.strip())
        user.mkdir(parents=True)
        (user / "late_comer.py").write_text("WHERE = 'user site'\n")
        (found,) = ask(kernel, "facts")["value"]["findings"]
        assert found["code"] == "not-on-path"
        assert str(user).replace(str(home), "~") in found["message"]
        (button,) = found["actions"]
        job = ask(kernel, button["method"], **button["params"])["value"]
        while job["state"] == "running":
            time.sleep(0.05)
            job = ask(kernel, "status", id=job["id"])["value"]
        assert job["result"]["message"]["mark"] == "✓", job
        assert ask(kernel, "facts")["value"]["findings"] == []
        assert kernel.run("import late_comer; print(late_comer.WHERE)").stdout == "user site\n"


def test_the_panel_imports_nothing_from_the_notebooks_folder(
    bare: kernels.Kernel, tmp_path: Path
) -> None:
    mark, version = tmp_path / "ran", payload()["version"]
    hostile = f"from pathlib import Path\nPath({str(mark)!r}).touch()\nraise RuntimeError('mine')\n"
    for name in ("json", "safeinstall", "packaging", "zipfile", "tempfile", "base64", "secrets"):
        (tmp_path / "notebooks" / f"{name}.py").write_text(hostile)
    info = tmp_path / "notebooks" / f"safeinstall-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: safeinstall\nVersion: {version}\n")
    assert bare.run("import os, sys; sys.path.insert(0, ''); sys.path.insert(1, os.getcwd())").ok
    before = bare.run("sys.path").data["text/plain"]
    assert ask(bare, "facts", archive=False) == {"need": "archive"}
    assert ask(bare, "facts")["value"]["verdict"]["state"] in ("yes", "care")
    assert isinstance(ask(bare, "packages")["value"], list)
    assert not mark.exists()
    assert bare.run("sys.path").data["text/plain"] == before


def test_the_users_own_module_of_our_name_is_named(bare: kernels.Kernel, tmp_path: Path) -> None:
    mine = tmp_path / "notebooks" / "safeinstall.py"
    mine.write_text("x = 1\n")
    assert bare.run("import safeinstall").ok
    assert str(mine) in ask(bare, "facts")["error"]["message"]
    assert bare.run("safeinstall.x").data["text/plain"] == "1"
