"""The wheel, installed as a tool in an empty folder; one version in one place; what a release needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from scorebench import __version__
from tests.built import built
from tests.commands import ROOT
from tests.requirements import require


def test_the_version_is_written_once() -> None:
    """Packaging reads it from the package, and the changelog begins with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert ROOT / project["tool"]["hatch"]["version"]["path"] == ROOT / "src" / "scorebench" / "__init__.py"
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heading is not None
    assert heading[1] == __version__


def test_the_action_runs_nothing_that_a_caller_wrote() -> None:
    """Inputs reach its scripts as variables alone: GitHub pastes `${{ }}` into a script unquoted."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)
    assert action["runs"]["using"] == "composite"


def test_llms_txt_leads_to_files_that_are_there() -> None:
    """Every link, and a title first, as its convention has it."""
    text = (ROOT / "llms.txt").read_text()
    assert text.startswith("# scorebench\n\n> ")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 10
    assert all((ROOT / link).is_file() for link in links)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("tool", ["uv tool install", "uvx --from", "uvx pipx install"])
def test_the_wheel_is_a_tool(wheel: Path, tmp_path: Path, tool: str) -> None:
    """In an empty folder, away from the clone: its version, and a line for a URL where nobody listens."""
    program, *words = tool.split()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    require(program, shutil.which(program, path=path) is not None, "install uv")
    places = {"UV_TOOL_DIR": "tools", "UV_TOOL_BIN_DIR": "bin", "PIPX_HOME": "home", "PIPX_BIN_DIR": "bin"}
    env = os.environ | {name: str(tmp_path / place) for name, place in places.items()} | {"PATH": path}
    empty = tmp_path / "empty"
    empty.mkdir()

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=empty, env=env, capture_output=True, text=True, check=False)

    started = [str(tmp_path / "bin" / "scorebench")]
    if words == ["--from"]:
        started = [program, *words, str(wheel), "scorebench"]
    else:
        done = run(program, *words, str(wheel))
        assert done.returncode == 0, done.stderr
    told = run(*started, "--version")
    assert told.stdout == f"scorebench {__version__}\n", told.stderr
    refused = run(*started, "call", "http://127.0.0.1:1")
    assert refused.returncode == 2, refused.stderr
    assert "scorebench: http://127.0.0.1:1: no server there" in refused.stderr
    assert "Traceback" not in refused.stderr
