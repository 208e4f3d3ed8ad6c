"""MLflow's own Docker image of a model, which holds the model. Knows how it is run; MLflow generates it."""

from __future__ import annotations

from pathlib import Path

from scorebench.servers import generate, images
from scorebench.servers.container import ContainerServer, ContainerSpec
from scorebench.servers.images import Recipe
from scorebench.servers.kinds import Wanted
from scorebench.servers.mlmodel import ModelCard


def create(wanted: Wanted) -> ContainerServer:
    # MLflow's documentation runs it with a bare `docker run`; an init reaps what its workers leave.
    return ContainerServer(ContainerSpec(IMAGE, init=True), wanted)


def _write_context(card: ModelCard, output: Path, recipe: Recipe) -> None:
    model = str(card.path.resolve())
    if "spark" in card.flavors or recipe.base_image is not None:
        base_image = recipe.base_image or images.BASE_IMAGE
        arguments = [generate.__name__, "docker", model, str(output), base_image]
    else:
        where = ["-m", model, "-d", str(output)]
        arguments = ["mlflow", "models", "generate-dockerfile", "--env-manager", "local", *where]
    images.run_generator(recipe.kind, arguments, output)


IMAGE = Recipe(kind="docker", write=_write_context, holds_model=True)
