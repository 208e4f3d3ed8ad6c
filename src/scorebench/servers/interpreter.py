"""The Python that serves a model: what is installed there, and what of the model's packages is not.

Knows the metadata of installed packages; imports none of them and starts no server.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scorebench.errors import InputError

_ASK = """
import importlib.metadata, json, platform
names = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps({"python": platform.python_version(), "installed": names}))
"""
_ASK_TIMEOUT_S = 60.0
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class Interpreter:
    """A Python by its path; `installed` has the version of each package by its normalized name."""

    path: str
    python_version: str
    installed: Mapping[str, str]

    def version(self, name: str) -> str | None:
        """The version of an installed package; None where it is not installed."""
        return self.installed.get(_normalized(name))

    def lacks(self, requirements: Iterable[str]) -> list[str]:
        """The packages of a requirements.txt that are not installed. Lines with conditions are not judged."""
        named = [found[1] for line in requirements if ";" not in line and (found := _NAME.match(line))]
        return [name for name in named if self.version(name) is None]


def interpreter(python: Path | None) -> Interpreter:
    """The Python at this path; None: the one that runs scorebench. InputError where it can't be started."""
    path = sys.executable if python is None else str(python)
    try:
        done = subprocess.run(
            [path, "-c", _ASK], capture_output=True, text=True, check=True, timeout=_ASK_TIMEOUT_S
        )
        found = json.loads(done.stdout)
        installed = {_normalized(name): version for name, version in found["installed"].items()}
        return Interpreter(path, found["python"], installed)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else type(problem).__name__
        raise InputError(
            f"--python {path}: can't be started ({why}); expected the path of a Python, such as "
            "/opt/model/bin/python"
        ) from None


def _normalized(name: str) -> str:
    """As package indexes compare names: scikit_learn is scikit-learn."""
    return re.sub(r"[-_.]+", "-", name).lower()
