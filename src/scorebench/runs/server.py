"""The server that a command brings up, from its options to a running one. Knows the demo models' folder."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.models.flavors import DEFAULT_FLAVOR, FLAVORS, demo_model, served
from scorebench.servers import kinds

if TYPE_CHECKING:
    from scorebench.servers.protocol import Server


def add_server_options(parser: Any) -> None:
    """What says which model is served, where, and with how much."""
    group = parser.add_argument_group("the server to start")
    group.add_argument(
        "--flavor",
        choices=served(),
        default=DEFAULT_FLAVOR,
        metavar="FLAVOR",
        help=f"demo model to serve: {', '.join(served())}",
    )
    group.add_argument("--model-uri", metavar="URI", help="your own model to serve")
    group.add_argument("--port", type=int, metavar="N", help=f"port on 127.0.0.1 ({kinds.ports()})")
    add_sizes(group)


def add_sizes(group: Any) -> None:
    """How much a server gets."""
    group.add_argument("--workers", type=int, default=1, metavar="N", help="worker processes of the server")
    group.add_argument("--cpus", metavar="LIST", help="cores for the server, such as 0 or 0,1")
    group.add_argument("--cpu-limit", type=float, metavar="N", help="CPU limit of the container, in cores")
    group.add_argument("--memory", type=int, metavar="MB", help="memory limit of the container")
    group.add_argument("--base-image", metavar="IMAGE", help="base image of the container's image")


def running_server(
    options: argparse.Namespace, log_folder: Path | None = None
) -> AbstractContextManager[Server]:
    """The server of the kind `options.target`: up within the context, its log in `log_folder`."""
    from scorebench import servers
    from scorebench.runs.progress import Waiting

    flavor = None if options.model_uri else FLAVORS[options.flavor]
    server = servers.create(
        options.target,
        model_uri=options.model_uri or str(demo_model(options.flavor)),
        port=getattr(options, "port", None),
        workers=options.workers,
        cpus=servers.parse_cpus(options.cpus) if options.cpus else (),
        cpu_limit=options.cpu_limit,
        memory_bytes=None if options.memory is None else options.memory * 2**20,
        base_image=options.base_image,
        deployment_flavor=None if flavor is None else flavor.deployment_flavor,
        log_folder=log_folder,
    )
    return servers.running(server, Waiting(options.target, quiet=getattr(options, "quiet", False)))
