"""`scorebench run`: measure a server, once or several times. Wiring; what is counted is Locust's to know."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.folders.names import RECORDING
from scorebench.load.scenario import default_users
from scorebench.options.table import DEFAULT_RUN_TIME, DEFAULT_USERS, OPTIONS
from scorebench.runs import publish
from scorebench.runs.launch import Launch
from scorebench.runs.launch import run as launch_run
from scorebench.runs.server import add_server_options, running_server
from scorebench.servers import kinds
from scorebench.servers.kinds import KINDS

if TYPE_CHECKING:
    from scorebench.options.settings import Settings
    from scorebench.servers.protocol import Server


def add(commands: Any) -> None:
    run = commands.add_parser("run", help="load-test a running server, or one to start and stop")
    run.add_argument("target", metavar="TARGET", help=f"a URL, or {kinds.names()}")
    run.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="repeat the run N times, for `compare`"
    )
    add_load_options(run)
    add_server_options(run)
    publish.add_options(run)
    add_run_options(run)
    run.set_defaults(run=_run)


def add_load_options(parser: Any) -> None:
    """Who sends, how long, from where."""
    parser.add_argument(
        "-u",
        "--users",
        type=int,
        metavar="N",
        help=f"concurrent users (default: {DEFAULT_USERS}, or the scenario's)",
    )
    parser.add_argument(
        "-t",
        "--run-time",
        metavar="TIME",
        help=f"how long to run, such as 30s or 2m (default: {DEFAULT_RUN_TIME})",
    )
    add_place_options(parser)


def add_place_options(parser: Any) -> None:
    """Where the load comes from."""
    parser.add_argument("--processes", type=int, metavar="N", help="generate the load from N processes")
    parser.add_argument(
        "--generator-cpus", metavar="LIST", help="cores for the load generator, such as 1 or 2,3"
    )


def add_run_options(parser: Any) -> None:
    """The options that `locust` has as well."""
    for option in OPTIONS:
        parser.add_argument(option.flag, **option.arguments())


def checked(options: argparse.Namespace) -> Settings:
    """The settings that the options ask for; InputError before anything is started. Fills the run time in."""
    from scorebench.options import settings
    from scorebench.units import parse_seconds

    if options.users is None:
        options.users = default_users(options.scenario, DEFAULT_USERS)
    if options.users < 1:
        raise InputError(f"--users {options.users}: expected at least 1")
    _check_place(options)
    if options.run_time is None and options.calls is None and options.iterations is None:
        options.run_time = DEFAULT_RUN_TIME
    seconds = None if options.run_time is None else parse_seconds(options.run_time, "--run-time")
    if seconds is not None:
        if seconds != int(seconds):
            whole = f"{ceil(seconds)}s"
            raise InputError(f"--run-time {options.run_time}: expected whole seconds, such as {whole}")
        options.run_time = f"{seconds:.0f}s"  # Locust reads fewer forms
    if options.target in KINDS and options.body is None:
        options.model = options.model or options.model_uri  # what is served says what can be sent
    asked = argparse.Namespace(**{**vars(options), "run_time": seconds, "num_users": options.users})
    return settings.from_namespace(asked, "http://127.0.0.1" if options.target in KINDS else options.target)


def _check_place(options: argparse.Namespace) -> None:
    from scorebench.servers import check_cpus, parse_cpus

    if options.target.isalpha() and options.target not in KINDS:
        raise InputError(
            f"{options.target}: none of the servers to bring up ({kinds.names()}), and no URL such as http://localhost:5001"
        )
    if options.processes is not None and options.processes < 1:
        raise InputError(f"--processes {options.processes}: expected at least 1")
    if options.generator_cpus is not None:
        check_cpus(parse_cpus(options.generator_cpus, "--generator-cpus"), "--generator-cpus")


@contextmanager
def run_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder for what is about to run; gone again, and its parent if that was made for it, where wrong
    input or a signal comes before anything was measured."""
    from scorebench.folders import folder

    folder.check_parent(parent)
    is_new = not parent.exists()
    path = folder.create(parent, name, datetime.now())
    try:
        yield path
    except (InputError, KeyboardInterrupt, SystemExit):
        if not any(path.rglob(RECORDING)):
            shutil.rmtree(path, ignore_errors=True)
        raise
    finally:
        if is_new and not path.exists():
            with suppress(OSError):  # somebody else has put something there
                parent.rmdir()
    if path.exists():
        folder.point_latest(path)


def launch_of(
    options: argparse.Namespace, url: str, path: Path, *, command: str | None = None, **changes: Any
) -> Launch:
    """The run that the options ask for, against `url`, left in `path`; `command` makes it again."""
    chosen = {option.name: getattr(options, option.name) for option in OPTIONS}
    return Launch(
        url=url,
        folder=path,
        users=options.users,
        run_time=options.run_time,
        options=chosen,
        processes=options.processes,
        generator_cpus=options.generator_cpus,
        command=command or shlex.join(["scorebench", *options.words]),
        **changes,
    )


def _run(options: argparse.Namespace) -> int:
    settings = checked(options)
    if options.repeat < 1:
        raise InputError(f"--repeat {options.repeat}: expected at least 1")
    publish.check(options)
    bring_up = options.target in KINDS
    name = options.target if bring_up else settings.target.host
    if options.repeat > 1:
        name = f"{name}-{options.repeat}-runs"
    with ExitStack() as stack:
        path = stack.enter_context(run_folder(settings.report_dir, name))
        server = stack.enter_context(running_server(options, path)) if bring_up else None
        url = options.target if server is None else server.endpoint
        if options.repeat == 1:
            folders, codes = [path], [launch_run(launch_of(options, url, path), server)]
        else:
            folders, codes = _repeat(options, url, path, server)
        _say_if_ended(server)
    publish.publish(options, folders)
    return worst(codes)


def _repeat(
    options: argparse.Namespace, url: str, path: Path, server: Server | None
) -> tuple[list[Path], list[int]]:
    """The same again and again, a folder each; ends with the first that was refused."""
    folders: list[Path] = []
    codes: list[int] = []
    for number in range(1, options.repeat + 1):
        if not options.quiet:
            print(f"run {number} of {options.repeat}", file=sys.stderr, flush=True)
        one = path / f"run-{number}"
        one.mkdir()
        codes.append(launch_run(launch_of(options, url, one, show_report=False), server))
        if codes[-1] == 2:
            if number == 1:
                shutil.rmtree(path, ignore_errors=True)
            break
        folders.append(one)
        if server is not None and not server.alive():
            break
    return folders, codes


def worst(codes: list[int]) -> int:
    """One exit code for several runs: refused, calls failed, limit missed, not valid, good."""
    order = (2, 1, 3, 4, 0)
    return min(codes, key=lambda code: order.index(code) if code in order else -1)


def _say_if_ended(server: Server | None) -> None:
    if server is not None and not server.alive():
        print(
            f"scorebench: {server.kind} ended while it was measured, with status {server.exit_status()}; "
            f"its log ends:\n{server.log_tail()}",
            file=sys.stderr,
        )
