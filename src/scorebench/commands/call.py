"""`scorebench call`: one call, told whole. The first thing to try with a server. Wiring."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from scorebench.options.option import REACHED, SENT, Option
from scorebench.runs import arguments

if TYPE_CHECKING:
    from scorebench.options.settings import Settings
    from scorebench.servers.protocol import Server

NOT_FOR_ONE_CALL = {"payload_memory", "stream"}
ALSO = {"expect"}


def add(commands: Any) -> None:
    parser = commands.add_parser("call", help="send one call, and show it, its answer and how it was judged")
    arguments.add_target(parser)
    arguments.add_options(parser, _is_taken)
    arguments.add_server(parser)
    parser.set_defaults(run=_call, generator_cpus=None, run_time=None)


def _is_taken(option: Option) -> bool:
    return option.name in ALSO or (option.group in (SENT, REACHED) and option.name not in NOT_FOR_ONE_CALL)


def _call(options: argparse.Namespace) -> int:
    from scorebench.client.target import Target
    from scorebench.runs.request import Request

    request = Request.of(options)
    request.warn()
    with ExitStack() as stack:
        settings, server = request.settings, stack.enter_context(request.bring_up())
        if server is not None:
            settings = replace(settings, target=Target.parse(server.endpoint))
        return _show(settings, server)


def _show(settings: Settings, server: Server | None) -> int:
    from scorebench.answers.outcome import Outcome
    from scorebench.report import one_call
    from scorebench.runs.one_call import call
    from scorebench.runs.prepare import payload_of

    once = settings.rows_per_call if settings.rows is None else settings.rows
    payload = payload_of(replace(settings, rows=once))
    facts = {
        "payload": {
            "rows": payload.rows[0],
            "rows_per_call": payload.rows[0],
            "format": payload.format,
            "source": None if payload.origin is None else payload.origin.facts(),
        },
        "url": settings.target.shown,
        "model": settings.model,
        "server": None if server is None else asdict(server.describe()),
    }
    done = call(settings, payload)
    print(one_call.render(done, facts), end="", flush=True)
    if done.outcome is not Outcome.VALID:
        print(f"scorebench: the call was not valid: {done.outcome.label}", file=sys.stderr)
    return 0 if done.outcome is Outcome.VALID else 1
