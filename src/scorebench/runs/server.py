"""The server that a command brings up, from its options to a running one. Knows the demo models."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench import servers
from scorebench.errors import InputError
from scorebench.models.flavors import DEFAULT_FLAVOR, FLAVORS, demo_model
from scorebench.runs.progress import Waiting
from scorebench.servers import settings
from scorebench.servers.kinds import KINDS, LOCAL

if TYPE_CHECKING:
    from scorebench.servers.protocol import Server

OPTIONS = ("flavor", "port", "workers", "cpus", "cpu_limit", "memory", "base_image", "env_manager", "python")
"""What a server that is started takes, by the option's name; a server that runs already takes none of it."""
WORKERS = 1


def settle_model(options: Namespace) -> None:
    """Make `options.model` the one name of the model, whichever option gave it. InputError for two models."""
    former, model = getattr(options, "model_uri", None), getattr(options, "model", None)
    if former and model and former != model:
        raise InputError(f"--model-uri {former}: --model {model} names another; give --model alone")
    if former and not getattr(options, "quiet", False):
        print("scorebench: --model-uri is called --model now; both work", file=sys.stderr)
    options.model, options.model_uri = model or former, None
    flavor = getattr(options, "flavor", None)
    if flavor and options.model and options.target in KINDS:
        raise InputError(
            f"--flavor {flavor}: a demo model, and --model {options.model} is given; leave one out"
        )


def refuse_what_no_server_takes(options: Namespace) -> None:
    """InputError for an option of a server to start, where the target runs already."""
    if options.target in KINDS:
        return
    for name in OPTIONS:
        if (value := getattr(options, name, None)) is not None:
            raise InputError(
                f"--{name.replace('_', '-')} {value}: belongs to a server that scorebench starts, and "
                f"the target is a URL; leave it out, or measure {', '.join(KINDS)}"
            )


def running_server(options: Namespace, log_folder: Path | None = None) -> AbstractContextManager[Server]:
    """The server of the kind `options.target`: up within the context, its log in `log_folder`."""
    name = options.flavor or DEFAULT_FLAVOR
    server = servers.create(
        options.target,
        model_uri=options.model or str(demo_model(name)),
        port=options.port,
        workers=WORKERS if options.workers is None else options.workers,
        cpus=servers.parse_cpus(options.cpus) if options.cpus else (),
        cpu_limit=options.cpu_limit,
        memory_bytes=None if options.memory is None else options.memory * 2**20,
        base_image=options.base_image,
        env_manager=options.env_manager or LOCAL,
        python=options.python,
        deployment_flavor=None if options.model else FLAVORS[name].deployment_flavor,
        log_folder=log_folder,
        timings=getattr(options, "timings", False),
        environment=settings.parse(getattr(options, "server_env", None)),
    )
    return servers.running(server, Waiting(options.target, quiet=getattr(options, "quiet", False)))
