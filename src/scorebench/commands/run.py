"""`scorebench run`: measure a server, once or several times. Wiring; Locust's process counts."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.runs import arguments

if TYPE_CHECKING:
    from scorebench.runs.request import Ready, Request
    from scorebench.servers.protocol import Server


def add(commands: Any) -> None:
    run = commands.add_parser("run", help="load-test a running server, or one to start and stop")
    arguments.add_target(run)
    run.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="repeat the run N times, for `compare`"
    )
    arguments.add_all(run)
    run.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from scorebench.runs import launch, publish
    from scorebench.runs.request import Request

    if options.repeat < 1:
        raise InputError(f"--repeat {options.repeat}: expected at least 1")
    request = Request.of(options)
    request.warn()
    publish.check(options)
    with request.ready("" if options.repeat == 1 else f"-{options.repeat}-runs") as ready:
        if options.repeat == 1:
            folders = [ready.folder]
            codes = [launch.run(request.launch(ready.url, ready.folder), ready.server)]
        else:
            folders, codes = _repeat(request, ready)
        _say_if_ended(ready.server)
    if options.repeat > 1 or publish.is_asked(options):
        from scorebench.folders.finished import (  # reading and judging takes half a second to load
            finished,
            is_finished,
        )

        publish.publish(options, [finished(path) for path in folders if is_finished(path)])
    return worst(codes)


def _repeat(request: Request, ready: Ready) -> tuple[list[Path], list[int]]:
    """Repeat the run, each in a folder of its own, until one is refused."""
    from scorebench.runs import launch

    folders: list[Path] = []
    codes: list[int] = []
    for number in range(1, request.asked.repeat + 1):
        if not request.asked.quiet:
            print(f"run {number} of {request.asked.repeat}", file=sys.stderr, flush=True)
        one = ready.folder / f"run-{number}"
        one.mkdir()
        codes.append(launch.run(request.launch(ready.url, one, show_report=False), ready.server))
        if codes[-1] == 2:
            if number == 1:
                shutil.rmtree(ready.folder, ignore_errors=True)
            break
        folders.append(one)
        if ready.server is not None and not ready.server.alive():
            break
    return folders, codes


def worst(codes: list[int]) -> int:
    """One exit code for several runs: refused, calls failed, limit missed, not valid, good."""
    order = (2, 1, 3, 4, 0)
    return min(codes, key=lambda code: order.index(code) if code in order else -1)


def _say_if_ended(server: Server | None) -> None:
    if server is not None and not server.alive():
        print(
            f"scorebench: {server.kind} ended during the run, with status {server.exit_status()}; "
            f"its log ends:\n{server.log_tail()}",
            file=sys.stderr,
        )
