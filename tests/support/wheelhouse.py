"""The wheelhouse: every wheel the tests and the demo need, fetched once and then never again.

`python wheelhouse.py FOLDER [REQUIREMENT... | --extra NAME | --oldest]` fetches with pip and
therefore through whatever index, proxy and certificate this machine's pip is set up for. Standard
library only: it runs before anything is installed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

CHECKOUT = Path(__file__).parents[2]
EDITABLE_BUILD = "editables"
OLDEST = ("ipython==7.34.0", "ipykernel==6.17.1", "jupyter-client==7.0.0")
"""The oldest kernel that safeinstall works in: no host's own is to be replaced by installing it."""


def project_requirements(pyproject: Path = CHECKOUT / "pyproject.toml") -> list[str]:
    """List what the project needs to be built, run, tested and checked."""
    text = tomllib.loads(pyproject.read_text("utf-8"))
    project = text["project"]
    extras = project["optional-dependencies"]
    wanted = [*text["build-system"]["requires"], EDITABLE_BUILD, *project["dependencies"]]
    wanted += [*extras["test"], *extras["dev"]]
    return [line for line in wanted if not line.startswith(f"{project['name']}[")]


def fetch(folder: Path, requirements: list[str], python: str = sys.executable) -> None:
    """Put the wheels of `requirements` and of all they need into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [python, "-m", "pip", "wheel", "-qq", "--wheel-dir", str(folder), *requirements]
    subprocess.run(command, check=True)


def extra_requirements(name: str, pyproject: Path = CHECKOUT / "pyproject.toml") -> list[str]:
    """List what one of the project's extras needs."""
    text = tomllib.loads(pyproject.read_text("utf-8"))
    wanted: list[str] = text["project"]["optional-dependencies"][name]
    return wanted


if __name__ == "__main__":
    asked = sys.argv[2:] or project_requirements()
    if asked[0] == "--extra":
        asked = extra_requirements(asked[1])
    fetch(Path(sys.argv[1]), list(OLDEST) if asked == ["--oldest"] else asked)
