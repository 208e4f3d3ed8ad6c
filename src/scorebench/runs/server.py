"""The server that a command brings up, from its options to a running one. Knows the demo models."""

from __future__ import annotations

from argparse import Namespace
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench import servers
from scorebench.models.flavors import FLAVORS, demo_model
from scorebench.runs.progress import Waiting

if TYPE_CHECKING:
    from scorebench.servers.protocol import Server


def running_server(options: Namespace, log_folder: Path | None = None) -> AbstractContextManager[Server]:
    """The server of the kind `options.target`: up within the context, its log in `log_folder`."""
    flavor = None if options.model_uri else FLAVORS[options.flavor]
    server = servers.create(
        options.target,
        model_uri=options.model_uri or str(demo_model(options.flavor)),
        port=options.port,
        workers=options.workers,
        cpus=servers.parse_cpus(options.cpus) if options.cpus else (),
        cpu_limit=options.cpu_limit,
        memory_bytes=None if options.memory is None else options.memory * 2**20,
        base_image=options.base_image,
        deployment_flavor=None if flavor is None else flavor.deployment_flavor,
        log_folder=log_folder,
        timings=getattr(options, "timings", False),
    )
    return servers.running(server, Waiting(options.target, quiet=getattr(options, "quiet", False)))
