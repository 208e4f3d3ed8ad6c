"""Build contexts and images of the container servers. Knows MLflow's generators, Dockerfiles and the builder.

A context is a folder that `docker build`, `docker compose` and the engine's API build alike, with the classic
builder too. MLflow's generators write what is MLflow's, in a process of their own; the rest is added here.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scorebench import extras
from scorebench.errors import InputError
from scorebench.servers import generate, logs, mlmodel
from scorebench.servers.protocol import TAIL_LINES, Progress, ServerFailed

BASE_IMAGE = "python:3.11-slim-bookworm"
"""Has openjdk-17, which Debian 13 has not, and a Python that the models of this project are made for."""
KEY_LABEL = "scorebench.key"
OURS = Path(__file__).parent / "dockerfiles"
_ENVIRONMENT_FILES = ("requirements.txt", "python_env.yaml")
_MINIMAL_MLMODEL = """\
flavors:
  python_function:
    env: {virtualenv: python_env.yaml}
    loader_module: none
"""
"""All that MLflow's installer of requirements reads. The model's own file changes with every save; the most
expensive layer of the image must not."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An image: the kind of server that it is of, how its context is written, and what may differ in it."""

    kind: str
    write: Callable[[mlmodel.ModelCard, Path, Recipe], None] = field(repr=False)
    """Writes the Dockerfile, and what it copies, into an empty folder."""
    holds_model: bool = field(default=False, repr=False)
    """The model is inside; else it is mounted, and only its packages are."""
    base_image: str | None = None
    """None: what MLflow chooses for `docker`, BASE_IMAGE for the others."""
    with_requirements: bool = True
    """Install the model's packages. An MLeap model scored by Java needs none of them."""


def write_context(recipe: Recipe, model: Path, output: Path) -> None:
    """Write the build context of one server for one model, replacing what is there.

    ServerFailed with MLflow's own words when its generator refuses the model.
    """
    require_mlflow()
    card = mlmodel.read_card(model)
    shutil.rmtree(output, ignore_errors=True)  # MLflow's generator only adds to what it finds
    output.mkdir(parents=True)
    try:
        recipe.write(card, output, recipe)
    except BaseException:
        shutil.rmtree(output, ignore_errors=True)  # half a context would build an image of something else
        raise


def key(recipe: Recipe, model: Path) -> str:
    """Equal keys: equal images. A digest of what goes into a context, without generating it."""
    digest = hashlib.sha256(repr((recipe, mlflow_version())).encode())
    ours = [path for path in sorted(OURS.rglob("*")) if path.is_file()]
    inside = sorted(path for path in model.rglob("*") if path.is_file()) if recipe.holds_model else []
    for path in [*ours, Path(generate.__file__), *inside, *_environment_files(model)]:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def ensure(client: Any, recipe: Recipe, model: Path, work: Path, progress: Progress | None = None) -> str:
    """The id of the image that serves this model: the one that is there, else a new one.

    client: a docker.DockerClient. work: a folder for the context and the build's log.
    """
    wanted = key(recipe, model)
    found = client.images.list(filters={"label": f"{KEY_LABEL}={wanted}"})
    if found:
        return str(found[0].id)
    context, log = work / f"{recipe.kind}-context", work / f"{recipe.kind}-build.log"
    try:
        write_context(recipe, model, context)
        return build(client, context, tag(recipe.kind, model), wanted=wanted, log=log, progress=progress)
    finally:
        shutil.rmtree(context, ignore_errors=True)


def tag(kind: str, model: Path) -> str:
    """`scorebench-docker:sklearn` for a model in a folder `sklearn`, as the compose file names it too."""
    name = re.sub(r"[^a-z0-9_.-]", "-", model.resolve().name.lower()).strip(".-") or "model"
    return f"scorebench-{kind}:{name[:100]}"


def build(
    client: Any,
    context: Path,
    name: str,
    *,
    wanted: str = "",
    log: Path | None = None,
    progress: Progress | None = None,
) -> str:
    """Build a context with the engine's classic builder; the image's id. ServerFailed with the last lines."""
    import docker

    began, output = time.monotonic(), bytearray()
    try:
        for line in _build_steps(client, context, name, wanted):
            output += line.encode() + b"\n"
            if progress is not None and line:
                progress(time.monotonic() - began, logs.tail(line.encode(), 1))
    except (docker.errors.BuildError, docker.errors.APIError) as error:
        output += str(error).encode()
        raise ServerFailed(f"image {name} failed to build", logs.tail(bytes(output), TAIL_LINES)) from None
    finally:
        if log is not None:
            log.write_bytes(output)
    return str(client.images.get(name).id)


def _build_steps(client: Any, context: Path, name: str, wanted: str) -> Iterator[str]:
    import docker

    labels = {KEY_LABEL: wanted, "scorebench.mlflow": mlflow_version()}
    steps = client.api.build(
        path=str(context), tag=name, labels=labels, rm=True, forcerm=True, decode=True, timeout=3600
    )
    for step in steps:
        if "error" in step:
            raise docker.errors.BuildError(str(step["error"]).strip(), iter(()))
        yield from str(step.get("stream", "")).rstrip("\n").split("\n")


def write_model_environment(card: mlmodel.ModelCard | None, folder: Path) -> None:
    """What names the model's packages, for the layer that installs them; of no model, an empty folder."""
    folder.mkdir()
    files = [] if card is None else _environment_files(card.path)
    for path in files:
        shutil.copy(path, folder)
    if len(files) == len(_ENVIRONMENT_FILES):
        (folder / "MLmodel").write_text(_MINIMAL_MLMODEL)
    (folder / "README").write_text("What names the model's packages; the model itself is mounted.\n")


def _environment_files(model: Path) -> list[Path]:
    return [path for name in _ENVIRONMENT_FILES if (path := model / name).is_file()]


def run_generator(kind: str, arguments: list[str], output: Path) -> None:
    """Run one of MLflow's generators: its last lines are the reason when it refuses."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    reason = logs.tail(done.stdout + done.stderr, TAIL_LINES)
    if done.returncode:
        raise ServerFailed(f"{kind}: MLflow's generator ended with status {done.returncode}", reason)
    if not (output / "Dockerfile").is_file():
        raise ServerFailed(f"{kind}: MLflow's generator wrote no Dockerfile", reason)


def require_mlflow() -> None:
    """InputError unless MLflow, whose generators write the Dockerfiles, is installed beside scorebench."""
    if importlib.util.find_spec("mlflow") is None:
        raise InputError(
            f"MLflow writes the images' Dockerfiles and is not installed; {extras.install('mlflow')}"
        )


def mlflow_version() -> str:
    """The version of the MLflow that writes the Dockerfiles."""
    require_mlflow()
    return importlib.metadata.version("mlflow")
