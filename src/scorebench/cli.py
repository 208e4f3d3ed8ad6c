"""The `scorebench` command. Wiring: it starts servers and Locust, and knows nothing of how either works.

Light modules only at import: `scorebench --help` must come at once.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from scorebench import __version__
from scorebench.errors import InputError
from scorebench.options import OPTIONS, REPORT_DIR

SERVERS = ("webserver", "docker", "sagemaker")
FLAVORS = ("sklearn", "spark", "mleap")
DEFAULT_USERS = 5
DEFAULT_RUN_TIME = "30s"
MODELS = Path(".models")
_SPAWN_RATE = 100
"""Users started a second: the most that Locust takes without a warning."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what it returns is the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    options.words = words
    try:
        return int(options.run(options))
    except InputError as error:
        print(f"scorebench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from scorebench.servers.protocol import ServerFailed

        if not isinstance(error, ServerFailed):
            raise
        print(f"scorebench: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scorebench",
        description="Load-test MLflow scoring servers: how fast, how much, and can the figure be trusted.",
        epilog="exit codes: 0 good; 1 calls failed; 2 wrong input, nothing was sent; 3 a limit was missed; "
        "4 the measurement itself is not valid",
    )
    parser.add_argument("--version", action="version", version=f"scorebench {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_serve(commands)
    _add_models(commands)
    _add_images(commands)
    _add_report(commands)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="measure a server: one that runs, or one to bring up and take down")
    run.add_argument("target", metavar="TARGET", help=f"a URL, or {', '.join(SERVERS)}")
    run.add_argument("-u", "--users", type=int, default=DEFAULT_USERS, metavar="N", help="concurrent users")
    run.add_argument("-t", "--run-time", metavar="TIME", help="how long, such as 30s or 2m (30s)")
    run.add_argument("--processes", type=int, metavar="N", help="spread the load over N processes")
    run.add_argument("--generator-cpus", metavar="LIST", help="cores for the load, such as 1 or 2,3")
    _add_server_options(run)
    for option in OPTIONS:
        run.add_argument(option.flag, **option.arguments())
    run.set_defaults(run=_run)


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the server, where it is brought up")
    group.add_argument("--flavor", choices=FLAVORS, default="sklearn", help="the demo model to serve")
    group.add_argument("--model-uri", metavar="URI", help="your own model to serve")
    group.add_argument("--port", type=int, metavar="N", help="port on 127.0.0.1 (5001, 5002, 5003)")
    group.add_argument("--workers", type=int, default=1, metavar="N", help="worker processes of the server")
    group.add_argument("--cpus", metavar="LIST", help="cores for the server, such as 0 or 0,1")
    group.add_argument("--cpu-limit", type=float, metavar="N", help="cores' worth of CPU time of a container")
    group.add_argument("--memory", type=int, metavar="MB", help="most memory of a container")
    group.add_argument("--base-image", metavar="IMAGE", help="what a container's image is built from")


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="bring up a server and leave it running until Ctrl-C")
    serve.add_argument("target", choices=SERVERS)
    _add_server_options(serve)
    serve.set_defaults(run=_serve)


def _add_models(commands: Any) -> None:
    models = commands.add_parser("models", help="make a demo model")
    verbs = models.add_subparsers(metavar="VERB", required=True)
    make = verbs.add_parser("make", help="write a demo model into a folder")
    make.add_argument("flavor", choices=(*FLAVORS, "mleap-spark"))
    make.add_argument("directory", type=Path)
    make.set_defaults(run=_make_model)


def _add_images(commands: Any) -> None:
    images = commands.add_parser("images", help="build what docker-compose.yml runs")
    verbs = images.add_subparsers(metavar="VERB", required=True)
    build = verbs.add_parser("build", help="have MLflow write the build contexts, and build the images")
    build.add_argument("--flavor", choices=FLAVORS, default="sklearn", help="the demo model to build for")
    build.add_argument("--base-image", metavar="IMAGE", help="what the images are built from")
    build.set_defaults(run=_build_images)


def _add_report(commands: Any) -> None:
    report = commands.add_parser("report", help="print a run again, from its folder alone")
    report.add_argument("directory", type=Path, nargs="?", default=Path(REPORT_DIR) / "latest")
    report.add_argument("--format", default="text", help="text, json, csv, junit, github or markdown")
    report.add_argument("--limit", action="append", metavar="LIMIT", help="judge by these limits")
    report.set_defaults(run=_report)


def _run(options: argparse.Namespace) -> int:
    from scorebench import settings

    bring_up = options.target in SERVERS
    host = "http://127.0.0.1" if bring_up else options.target
    settings.from_namespace(_checked(options), host)  # wrong input ends here, before anything is started
    with ExitStack() as stack:
        server = stack.enter_context(_running_server(options)) if bring_up else None
        return _locust(options, host if server is None else server.endpoint, server)


def _checked(options: argparse.Namespace) -> argparse.Namespace:
    from scorebench.units import parse_seconds

    if options.users < 1:
        raise InputError(f"--users {options.users}: expected at least 1")
    if options.run_time is None and options.calls is None:
        options.run_time = DEFAULT_RUN_TIME
    seconds = None if options.run_time is None else parse_seconds(options.run_time, "--run-time")
    return argparse.Namespace(**{**vars(options), "run_time": seconds, "num_users": options.users})


def _running_server(options: argparse.Namespace) -> Any:
    from scorebench import servers
    from scorebench.progress import Waiting

    server = servers.create(
        options.target,
        model_uri=options.model_uri or str(_demo_model(options.flavor)),
        port=options.port,
        workers=options.workers,
        cpus=servers.parse_cpus(options.cpus) if options.cpus else (),
        cpu_limit=options.cpu_limit,
        memory_bytes=None if options.memory is None else options.memory * 2**20,
        base_image=options.base_image,
    )
    return servers.running(server, Waiting(options.target, quiet=getattr(options, "quiet", False)))


def _demo_model(flavor: str) -> Path:
    """The demo model of `flavor`, made at its first use."""
    folder = MODELS / flavor
    if not (folder / "MLmodel").exists():
        _make(flavor, folder)
    return folder


def _make(flavor: str, folder: Path) -> None:
    print(f"making the {flavor} demo model in {folder}", file=sys.stderr, flush=True)
    if flavor == "sklearn":
        from scorebench.models import make_sklearn

        make_sklearn(folder)
    elif flavor == "spark":
        from scorebench.models_spark import make_spark

        make_spark(folder)
    elif flavor == "mleap":
        from scorebench.models_mleap import make_mleap

        make_mleap(folder)
    else:
        from scorebench.models_mleap import make_mleap_spark

        make_mleap_spark(folder)


def _locust(options: argparse.Namespace, url: str, server: Any) -> int:
    """Run Locust in a process of its own, where gevent may patch what it likes; its exit code is ours."""
    environment = {
        **os.environ,
        "SCOREBENCH_COMMAND": shlex.join(["scorebench", *options.words]),
        "SCOREBENCH_SERVER": json.dumps(None if server is None else asdict(server.describe())),
    }
    command = [
        *_pinning(options.generator_cpus),
        sys.executable,
        "-m",
        "locust",
        *_locust_arguments(options, url),
    ]
    # A session of its own: Ctrl-C comes to us alone, and once, and we pass it on.
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    with _passing_on(process):
        return process.wait()


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """SIGINT and SIGTERM go to Locust, which ends the run and writes the report; the third one kills it."""
    received = 0

    def pass_on(number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        process.send_signal(number if received < 3 else signal.SIGKILL)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _locust_arguments(options: argparse.Namespace, url: str) -> list[str]:
    words = ["-f", str(Path(__file__).with_name("locustfile.py")), "--headless", "--only-summary"]
    words += ["--skip-log-setup", "--config", os.devnull, "-H", url]
    words += ["-u", str(options.users), "-r", str(min(options.users, _SPAWN_RATE))]
    words += ["-t", options.run_time] if options.run_time else []
    words += _cluster_arguments(options.processes) if options.processes else []
    for option in OPTIONS:
        value = getattr(options, option.name)
        if option.switch:
            words += [option.flag] if value else []
        elif value is not None and value != option.default:
            for one in value if option.repeated else [value]:
                words.append(f"{option.flag}={one}")
    return words


def _cluster_arguments(processes: int) -> list[str]:
    """Master and workers on a free port of this machine; by itself Locust listens on all interfaces."""
    from scorebench.servers import ports

    host, port = ports.LOOPBACK, str(ports.claim(0))
    bind = ["--master-bind-host", host, "--master-bind-port", port]
    return ["--processes", str(processes), *bind, "--master-host", host, "--master-port", port]


def _pinning(cpus: str | None) -> list[str]:
    if cpus is None:
        return []
    from scorebench import servers

    return ["taskset", "-c", ",".join(str(cpu) for cpu in servers.parse_cpus(cpus))]


def _serve(options: argparse.Namespace) -> int:
    import time

    with _running_server(options) as server:
        print(f"{options.target} serves on {server.endpoint}; Ctrl-C stops it", flush=True)
        while server.alive():
            time.sleep(0.5)
        print(
            f"scorebench: {options.target} ended with status {server.exit_status()}; its log ends:",
            file=sys.stderr,
        )
        print(server.log_tail(), file=sys.stderr)
    return 1


def _make_model(options: argparse.Namespace) -> int:
    _make(options.flavor, options.directory)
    print(options.directory)
    return 0


def _build_images(options: argparse.Namespace) -> int:
    from scorebench.progress import Waiting
    from scorebench.servers import compose

    # An MLeap model is served by the SageMaker image alone; the other two refuse it.
    kinds = ("sagemaker",) if options.flavor == "mleap" else SERVERS
    model = _demo_model(options.flavor)
    for name in compose.build_images(
        Path(), model, kinds, base_image=options.base_image, progress=Waiting("images")
    ):
        print(name)
    return 0


def _report(options: argparse.Namespace) -> int:
    from scorebench import folder, limits, report
    from scorebench.summary import summarise
    from scorebench.verdict import judge, limits_of

    if options.format not in report.FORMATS:
        raise InputError(f"--format {options.format}: not known; expected one of {', '.join(report.FORMATS)}")
    recording = folder.read(options.directory)
    summary = summarise(recording)
    asked = [limits.parse_limit(text) for text in options.limit or ()]
    verdict = judge(summary, recording, asked or limits_of(recording))
    print(report.FORMATS[options.format](recording, summary, verdict), end="")
    return 0
