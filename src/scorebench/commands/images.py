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
    build.add_argument("--base-image", metavar="IMAGE", help="base image to build from")
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from scorebench.runs.progress import Waiting
    from scorebench.servers import compose

    only = FLAVORS[options.flavor].only_served_by
    for name in compose.build_images(
        Path(),
        demo_model(options.flavor),
        None if only is None else [only],
        base_image=options.base_image,
        progress=Waiting("images"),
    ):
        print(name)
    return 0
