"""What docker-compose.yml builds from and mounts: `.models/NAME`, `.build/NAME/SERVER`. Knows images."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scorebench.errors import InputError
from scorebench.servers import engine, images
from scorebench.servers.protocol import Progress

KINDS = ("webserver", "docker", "sagemaker")
BUILD_FOLDER = ".build"


def build_images(
    root: Path,
    model: Path,
    kinds: Sequence[str] = KINDS,
    base_image: str | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Write the contexts and build the images under the names that docker-compose.yml has; their names.

    A context stays, so that `docker compose build` works too. Takes minutes the first time, seconds after.
    """
    client = engine.connect()
    names = []
    for kind in kinds:
        recipe = images.Recipe(kind=kind, base_image=base_image)
        context = _write(root, model, recipe)
        name, wanted = images.tag(kind, model), images.key(recipe, model)
        images.build(client, context, name, wanted=wanted, log=context.with_suffix(".log"), progress=progress)
        names.append(name)
    return names


def command() -> list[str]:
    """`docker compose`, or `docker-compose`; InputError if neither is there."""
    for candidate in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(candidate[0]) is None:
            continue
        if subprocess.run([*candidate, "version"], capture_output=True, check=False).returncode == 0:
            return candidate
    raise InputError("docker compose: neither the plugin nor docker-compose is there; install one of them")


def _write(root: Path, model: Path, recipe: images.Recipe) -> Path:
    context = root / BUILD_FOLDER / model.name / recipe.kind
    images.write_context(recipe, model, context)
    return context
