"""What `scorebench run` takes besides the options that `locust` has too. Knows argparse; does nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scorebench.models.flavors import DEFAULT_FLAVOR, served
from scorebench.options.option import GROUPS, Option
from scorebench.options.table import DEFAULT_RUN_TIME, DEFAULT_USERS, OPTIONS
from scorebench.options.values import path_of
from scorebench.runs.publish import GITHUB_VARIABLE
from scorebench.servers import kinds
from scorebench.servers.kinds import ENV_MANAGERS
from scorebench.servers.settings import OPTION


def add_all(parser: Any) -> None:
    """The options of a run, for a shell and for Python alike; the target is the caller's."""
    add_load(parser)
    add_options(parser)
    add_server(parser)
    add_outlets(parser)
    add_place(parser)


def add_options(parser: Any, wanted: Callable[[Option], bool] = lambda _: True) -> None:
    """The `wanted` ones of what `locust` takes too: the most used, then the others under their headings."""
    for option in filter(wanted, OPTIONS):
        if option.first:
            parser.add_argument(option.flag, **option.arguments())
    for title in GROUPS:
        group = parser.add_argument_group(title)
        for option in filter(wanted, OPTIONS):
            if option.group == title and not option.first:
                group.add_argument(option.flag, **option.arguments())


def add_target(parser: Any) -> None:
    """What is measured."""
    parser.add_argument("target", metavar="TARGET", help=f"a URL, or {kinds.names()}")


def add_load(
    parser: Any, run_time: str = f"how long to run, such as 30s or 2m (default: {DEFAULT_RUN_TIME})"
) -> None:
    """How many users send, and how long; `run_time` is the help of an option that means something else."""
    parser.add_argument(
        "-u",
        "--users",
        type=int,
        metavar="N",
        help=f"concurrent users (default: {DEFAULT_USERS}, or the scenario's)",
    )
    parser.add_argument(
        "-r",
        "--spawn-rate",
        type=float,
        metavar="PER_S",
        help="users to start a second (default: all at once)",
    )
    parser.add_argument("-t", "--run-time", metavar="TIME", help=run_time)


def add_place(parser: Any) -> None:
    """Where the load comes from."""
    group = parser.add_argument_group("where the load comes from")
    group.add_argument("--processes", type=int, metavar="N", help="generate the load from N processes")
    group.add_argument(
        "--generator-cpus", metavar="LIST", help="cores for the load generator, such as 1 or 2,3"
    )


def add_server(parser: Any) -> None:
    """Which model is served, where, and with how much."""
    group = parser.add_argument_group("the server to start")
    group.add_argument(
        "--flavor",
        choices=served(),
        metavar="FLAVOR",
        help=f"demo model to serve: {', '.join(served())} (default: {DEFAULT_FLAVOR})",
    )
    group.add_argument("--model-uri", metavar="URI", help="the former name of --model; works as before")
    add_port(group)
    add_sizes(group)


def add_port(parser: Any) -> None:
    """Where a server listens."""
    parser.add_argument("--port", type=int, metavar="N", help=f"port on 127.0.0.1 ({kinds.ports()})")


def add_sizes(parser: Any, *, workers: bool = True) -> None:
    """How much a server gets."""
    if workers:
        parser.add_argument(
            "--workers", type=int, metavar="N", help="worker processes of the server (default: 1)"
        )
    parser.add_argument("--cpus", metavar="LIST", help="cores for the server, such as 0 or 0,1")
    parser.add_argument("--cpu-limit", type=float, metavar="N", help="CPU limit of the container, in cores")
    parser.add_argument("--memory", type=int, metavar="MB", help="memory limit of the container")
    parser.add_argument(
        OPTION,
        action="append",
        metavar="NAME=VALUE",
        help="environment variable for the server, such as OMP_NUM_THREADS=1; repeatable",
    )
    parser.add_argument("--base-image", metavar="IMAGE", help="base image of the container's image")
    parser.add_argument(
        "--env-manager",
        choices=ENV_MANAGERS,
        metavar="NAME",
        help="where webserver's packages come from: local (installed here), or virtualenv or uv, with which "
        "MLflow makes an environment for the model (default: local)",
    )
    parser.add_argument(
        "--python",
        type=path_of,
        metavar="PATH",
        help="Python for webserver, with MLflow and the model's packages",
    )


def add_model(parser: Any) -> None:
    """--model, for a command that takes no other option of a run."""
    option = next(one for one in OPTIONS if one.flag == "--model")
    parser.add_argument(option.flag, **option.arguments())


def add_outlets(parser: Any) -> None:
    """Where the results go, besides the run's folder."""
    group = parser.add_argument_group("where the results go, besides the run's folder")
    group.add_argument("--junit", type=path_of, metavar="FILE", help="write JUnit XML, a test case a limit")
    group.add_argument(
        "--github-summary",
        action="store_true",
        help=f"add a summary to the file that {GITHUB_VARIABLE} names, and print annotations",
    )
    group.add_argument("--mlflow-experiment", metavar="NAME", help="log the run to MLflow's tracking server")
