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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.servers import generate, logs, mlmodel
from scorebench.servers.protocol import TAIL_LINES, Progress, ServerFailed

BASE_IMAGE = "python:3.11-slim-bookworm"
"""Has openjdk-17, which Debian 13 has not, and a Python that the models of this project are made for."""
STOCK_BASE_IMAGE = "ubuntu:24.04"
"""What `mlflow sagemaker build-and-push-container` builds on; it fetches pyenv from the internet."""

KEY_LABEL = "scorebench.key"
_OURS = Path(__file__).parent / "dockerfiles"
_ENVIRONMENT_FILES = ("requirements.txt", "python_env.yaml")
_MINIMAL_MLMODEL = """\
flavors:
  python_function:
    env: {virtualenv: python_env.yaml}
    loader_module: none
"""
"""All that MLflow's installer of requirements reads. The model's own file changes with every save; the most
expensive layer of the image must not."""
_FROM = re.compile(r"^FROM (\S+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which image: the server's kind, and what may differ between two of a kind for one model."""

    kind: str
    base_image: str | None = None
    """None: what MLflow chooses for `docker`, BASE_IMAGE for the others."""
    with_requirements: bool = True
    """Install the model's packages. An MLeap model scored by Java needs none of them."""


def write_context(recipe: Recipe, model: Path, output: Path) -> None:
    """Write the build context of one server for one model, replacing what is there.

    `docker` holds the model; `sagemaker` and `webserver` hold its packages, and it is mounted.
    ServerFailed with MLflow's own words when its generator refuses the model.
    """
    require_mlflow()
    card = mlmodel.read_card(model)
    shutil.rmtree(output, ignore_errors=True)  # MLflow's generator only adds to what it finds
    output.mkdir(parents=True)
    try:
        _WRITERS[recipe.kind](card, output, recipe)
    except BaseException:
        shutil.rmtree(output, ignore_errors=True)  # half a context would build an image of something else
        raise


def key(recipe: Recipe, model: Path) -> str:
    """Equal keys: equal images. A digest of what goes into a context, without generating it."""
    digest = hashlib.sha256(repr((recipe, _mlflow_version())).encode())
    ours = [path for path in sorted(_OURS.rglob("*")) if path.is_file()]
    inside = sorted(path for path in model.rglob("*") if path.is_file()) if recipe.kind == "docker" else []
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

    began, said = time.monotonic(), bytearray()
    try:
        for line in _build_steps(client, context, name, wanted):
            said += line.encode() + b"\n"
            if progress is not None and line:
                progress(time.monotonic() - began, logs.tail(line.encode(), 1))
    except (docker.errors.BuildError, docker.errors.APIError) as error:
        said += str(error).encode()
        raise ServerFailed(f"image {name} failed to build", logs.tail(bytes(said), TAIL_LINES)) from None
    finally:
        if log is not None:
            log.write_bytes(said)
    return str(client.images.get(name).id)


def _build_steps(client: Any, context: Path, name: str, wanted: str) -> Iterator[str]:
    import docker

    labels = {KEY_LABEL: wanted, "scorebench.mlflow": _mlflow_version()}
    steps = client.api.build(
        path=str(context), tag=name, labels=labels, rm=True, forcerm=True, decode=True, timeout=3600
    )
    for step in steps:
        if "error" in step:
            raise docker.errors.BuildError(str(step["error"]).strip(), iter(()))
        yield from str(step.get("stream", "")).rstrip("\n").split("\n")


def _docker(card: mlmodel.ModelCard, output: Path, recipe: Recipe) -> None:
    base_image = recipe.base_image
    if "spark" in card.flavors or base_image is not None:
        arguments = [
            generate.__name__,
            "docker",
            str(card.path.resolve()),
            str(output),
            base_image or BASE_IMAGE,
        ]
    else:
        where = ["-m", str(card.path.resolve()), "-d", str(output)]
        arguments = ["mlflow", "models", "generate-dockerfile", "--env-manager", "local", *where]
    _generate("docker", arguments, output)


def _sagemaker(card: mlmodel.ModelCard, output: Path, recipe: Recipe) -> None:
    base = recipe.base_image or BASE_IMAGE
    _generate("sagemaker", [generate.__name__, "sagemaker", str(output), base], output)
    on_python = base.startswith("python:")
    dockerfile = output / "Dockerfile"
    theirs = _FROM.sub(
        "FROM ${PYTHON_IMAGE} AS mlflow" if on_python else f"FROM {base} AS mlflow", dockerfile.read_text()
    )
    first = f"ARG PYTHON_IMAGE={base if on_python else BASE_IMAGE}\n"
    manager = f"ENV SCOREBENCH_ENV_MANAGER={'local' if on_python else 'virtualenv'}\n"
    dockerfile.write_text(first + theirs + (_OURS / "sagemaker/stages.Dockerfile").read_text() + manager)
    for name in ("pom.xml", "jars.sha256", "entry"):
        shutil.copy(_OURS / "sagemaker" / name, output)
    # With a virtualenv MLflow makes it at the start, from the mounted model; there is nothing to prepare.
    _write_model_environment(card if on_python and recipe.with_requirements else None, output / "model_env")


def _webserver(card: mlmodel.ModelCard, output: Path, recipe: Recipe) -> None:
    text = (_OURS / "webserver/Dockerfile").read_text()
    text = text.replace("ARG MLFLOW_VERSION\n", f"ARG MLFLOW_VERSION={_mlflow_version()}\n")
    (output / "Dockerfile").write_text(text.replace(BASE_IMAGE, recipe.base_image or BASE_IMAGE))
    _write_model_environment(card, output / "model_env")


_WRITERS = {"docker": _docker, "sagemaker": _sagemaker, "webserver": _webserver}


def _write_model_environment(card: mlmodel.ModelCard | None, folder: Path) -> None:
    folder.mkdir()
    files = [] if card is None else _environment_files(card.path)
    for path in files:
        shutil.copy(path, folder)
    if len(files) == len(_ENVIRONMENT_FILES):
        (folder / "MLmodel").write_text(_MINIMAL_MLMODEL)
    (folder / "README").write_text("What names the model's packages; the model itself is mounted.\n")


def _environment_files(model: Path) -> list[Path]:
    return [path for name in _ENVIRONMENT_FILES if (path := model / name).is_file()]


def _generate(kind: str, arguments: list[str], output: Path) -> None:
    """Run one of MLflow's generators: its last lines are the reason when it refuses."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    said = logs.tail(done.stdout + done.stderr, TAIL_LINES)
    if done.returncode:
        raise ServerFailed(f"{kind}: MLflow's generator ended with status {done.returncode}", said)
    if not (output / "Dockerfile").is_file():
        raise ServerFailed(f"{kind}: MLflow's generator wrote no Dockerfile", said)


def require_mlflow() -> None:
    """InputError unless MLflow, whose generators write the Dockerfiles, is installed beside scorebench."""
    if importlib.util.find_spec("mlflow") is None:
        raise InputError(
            "MLflow writes the images' Dockerfiles and is not installed; pip install 'scorebench[mlflow]'"
        )


def _mlflow_version() -> str:
    require_mlflow()
    return importlib.metadata.version("mlflow")
