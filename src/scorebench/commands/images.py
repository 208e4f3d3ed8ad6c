"""`scorebench images build`: what docker-compose.yml runs. Wiring."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scorebench.runs.server import FLAVORS, SERVERS


def add(commands: Any) -> None:
    images = commands.add_parser("images", help="build what docker-compose.yml runs")
    verbs = images.add_subparsers(metavar="VERB", required=True)
    build = verbs.add_parser("build", help="have MLflow write the build contexts, and build the images")
    build.add_argument("--flavor", choices=FLAVORS, default="sklearn", help="the demo model to build for")
    build.add_argument("--base-image", metavar="IMAGE", help="what the images are built from")
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from scorebench.commands.models import demo_model
    from scorebench.runs.progress import Waiting
    from scorebench.servers import compose

    # An MLeap model is served by the SageMaker image alone; the other two refuse it.
    kinds = ("sagemaker",) if options.flavor == "mleap" else SERVERS
    for name in compose.build_images(
        Path(),
        demo_model(options.flavor),
        kinds,
        base_image=options.base_image,
        progress=Waiting("images"),
    ):
        print(name)
    return 0
