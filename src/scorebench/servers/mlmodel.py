"""The MLmodel file of a folder: flavors and versions. Knows where models are; loads none."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from scorebench.errors import InputError
from scorebench.payloads.signature import MLMODEL, read_mlmodel
from scorebench.servers.logs import tail

_WINDOWS_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class ModelCard:
    """A model folder as its MLmodel file describes it."""

    path: Path
    flavors: tuple[str, ...]
    mlflow_version: str | None
    python_version: str | None
    """What the python_function flavor was saved with; it needs a Python like it."""


def local_folder(uri: str) -> Path | None:
    """The folder that a URI names if that is local (`dir`, `file:///dir`); None for `models:/…`."""
    if _WINDOWS_DRIVE.match(uri):
        return Path(uri)
    parsed = urlparse(uri)
    if parsed.scheme == "file":
        return Path(unquote(parsed.path))
    return None if parsed.scheme else Path(uri)


def local_copy(uri: str, work: Path) -> Path:
    """The model's folder: the one that the URI names, else a download into `work` by MLflow.

    InputError with MLflow's last line if there is no such model.
    """
    folder = local_folder(uri)
    if folder is not None:
        return folder
    target = work / f"model-{hashlib.sha256(uri.encode()).hexdigest()[:12]}"
    shutil.rmtree(target, ignore_errors=True)  # `models:/wine/champion` may be another one by now
    command = [sys.executable, "-m", "mlflow", "artifacts", "download", "-u", uri, "-d", str(target)]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise InputError(
            f"{uri}: MLflow could not download the model ({tail(done.stderr, 1)}); check the URI"
        )
    return next((path.parent for path in target.rglob(MLMODEL)), target)


def read_card(folder: Path) -> ModelCard:
    """InputError if the folder has no MLmodel file, or one that is none."""
    content = read_mlmodel(folder)
    flavors = content.get("flavors")
    if not isinstance(flavors, Mapping) or not flavors:
        raise InputError(f"{folder / MLMODEL}: it lists no flavors; save the model again with MLflow")
    python = flavors.get("python_function")
    return ModelCard(
        path=folder,
        flavors=tuple(map(str, flavors)),
        mlflow_version=_text(content.get("mlflow_version")),
        python_version=_text(python.get("python_version")) if isinstance(python, Mapping) else None,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
