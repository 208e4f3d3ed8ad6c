"""`scorebench serve`: a server that runs until Ctrl-C. Wiring."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from scorebench.runs import arguments
from scorebench.servers import kinds
from scorebench.servers.kinds import KINDS

_LOOK_S = 0.5


def add(commands: Any) -> None:
    serve = commands.add_parser("serve", help="start a server and keep it running until Ctrl-C")
    serve.add_argument("target", choices=tuple(KINDS), metavar="SERVER", help=kinds.names())
    arguments.add_model(serve)
    arguments.add_server(serve)
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from scorebench.runs.server import running_server, settle_model

    settle_model(options)
    with running_server(options) as server:
        print(f"{options.target} is ready on {server.endpoint}; press Ctrl-C to stop it", flush=True)
        while server.alive():
            time.sleep(_LOOK_S)
        print(
            f"scorebench: {options.target} ended with status {server.exit_status()}; its log ends:",
            file=sys.stderr,
        )
        print(server.log_tail(), file=sys.stderr)
    return 1
