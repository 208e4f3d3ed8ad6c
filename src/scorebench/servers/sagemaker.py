"""MLflow's SageMaker image, run as SageMaker runs it. Knows what is MLflow's in it, and what is added."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from scorebench.servers import generate, images
from scorebench.servers.container import ContainerServer, ContainerSpec
from scorebench.servers.images import Recipe
from scorebench.servers.kinds import Wanted
from scorebench.servers.mlmodel import ModelCard

MLEAP = "mleap"
MODEL_FOLDER = "/opt/ml/model"
_FROM = re.compile(r"^FROM (\S+)$", re.MULTILINE)


def create(wanted: Wanted) -> ContainerServer:
    flavor = wanted.deployment_flavor
    spec = ContainerSpec(
        replace(IMAGE, with_requirements=flavor != MLEAP),
        command=("serve",),
        environment={} if flavor is None else {"MLFLOW_DEPLOYMENT_FLAVOR_NAME": flavor},
        mount_model_at=MODEL_FOLDER,
        starts_timings=True,
    )
    return ContainerServer(spec, wanted)


def _write_context(card: ModelCard, output: Path, recipe: Recipe) -> None:
    base = recipe.base_image or images.BASE_IMAGE
    images.run_generator(recipe.kind, [generate.__name__, "sagemaker", str(output), base], output)
    on_python = base.startswith("python:")
    dockerfile = output / "Dockerfile"
    theirs = _FROM.sub(
        "FROM ${PYTHON_IMAGE} AS mlflow" if on_python else f"FROM {base} AS mlflow", dockerfile.read_text()
    )
    ours = images.OURS / "sagemaker"
    first = f"ARG PYTHON_IMAGE={base if on_python else images.BASE_IMAGE}\n"
    manager = f"ENV SCOREBENCH_ENV_MANAGER={'local' if on_python else 'virtualenv'}\n"
    dockerfile.write_text(first + theirs + (ours / "stages.Dockerfile").read_text() + manager)
    for name in ("pom.xml", "jars.sha256", "entry"):
        shutil.copy(ours / name, output)
    # With a virtualenv MLflow makes it at the start, from the mounted model; there is nothing to prepare.
    prepared = card if on_python and recipe.with_requirements else None
    images.write_model_environment(prepared, output / "model_env")


IMAGE = Recipe(kind="sagemaker", write=_write_context)
