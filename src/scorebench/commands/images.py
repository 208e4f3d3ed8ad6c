"""`scorebench images build`: what docker-compose.yml runs. Wiring."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scorebench.models.flavors import DEFAULT_FLAVOR, FLAVORS, demo_model, served


def add(commands: Any) -> None:
    images = commands.add_parser("images", help="build the images that docker-compose.yml runs")
    verbs = images.add_subparsers(metavar="VERB", required=True)
    build = verbs.add_parser("build", help="build MLflow's Docker and SageMaker images")
    build.add_argument(
        "--flavor",
        choices=served(),
        default=DEFAULT_FLAVOR,
        metavar="FLAVOR",
        help=f"demo model to build for: {', '.join(served())}",
    )
    build.add_argument(
        "kinds", nargs="*", metavar="SERVER", help="servers to build for (default: all that have an image)"
    )
    build.add_argument("--base-image", metavar="IMAGE", help="base image to build from")
    build.set_defaults(run=_build)


def _refuse(kinds: list[str]) -> None:
    """InputError for a server that no image is built for."""
    from scorebench.errors import InputError
    from scorebench.servers.kinds import KINDS

    known = [name for name, kind in KINDS.items() if kind.image() is not None]
    for name in kinds:
        if name not in known:
            raise InputError(f"images build {name}: no such image; expected one of {', '.join(known)}")


def _build(options: argparse.Namespace) -> int:
    from scorebench.runs.progress import Waiting
    from scorebench.servers import compose

    only = FLAVORS[options.flavor].only_served_by
    kinds = options.kinds or (None if only is None else [only])
    _refuse(kinds or [])
    for name in compose.build_images(
        Path(),
        demo_model(options.flavor),
        kinds,
        base_image=options.base_image,
        progress=Waiting("images"),
    ):
        print(name)
    return 0
