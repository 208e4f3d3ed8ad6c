"""What docker-compose.yml builds from and mounts: `.models/NAME`, `.build/NAME/SERVER`. Knows images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from scorebench.servers import engine, images
from scorebench.servers.kinds import KINDS
from scorebench.servers.protocol import Progress

BUILD_FOLDER = ".build"
VARIABLES = ".env"
"""What compose reads variables from."""
BUILT = "SCOREBENCH_IMAGES=built"
"""Without it docker-compose.yml says that the images come first."""


def build_images(
    root: Path,
    model: Path,
    kinds: Iterable[str] | None = None,
    base_image: str | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Write the contexts and build the images under the names that docker-compose.yml has; their names.

    `kinds`: names of kinds; None: all that have an image. A context stays, so that `docker compose build`
    works too. Takes minutes the first time, seconds after.
    """
    client = engine.connect()
    names = []
    for kind in KINDS if kinds is None else kinds:
        if (image := KINDS[kind].image()) is None:
            continue
        recipe = replace(image, base_image=base_image)
        context = _write(root, model, recipe)
        name, wanted = images.tag(kind, model), images.key(recipe, model)
        images.build(client, context, name, wanted=wanted, log=context.with_suffix(".log"), progress=progress)
        names.append(name)
    _say_built(root / VARIABLES)
    return names


def _say_built(variables: Path) -> None:
    """Add our line to the file, which may be somebody's with lines of their own."""
    text = variables.read_text() if variables.exists() else ""
    if BUILT not in text.splitlines():
        variables.write_text(f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{BUILT}\n")


def _write(root: Path, model: Path, recipe: images.Recipe) -> Path:
    context = root / BUILD_FOLDER / model.name / recipe.kind
    images.write_context(recipe, model, context)
    return context
