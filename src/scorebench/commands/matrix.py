"""`scorebench matrix`: every server with every flavor, one table. Wiring."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.commands.run import run_folder
from scorebench.errors import InputError
from scorebench.folders.names import MATRIX_CSV, MATRIX_JSON, MATRIX_MARKDOWN, RECORDING
from scorebench.models.flavors import FLAVORS, demo_model, served
from scorebench.options.table import DEFAULTS, REPORT_DIR
from scorebench.runs.launch import Launch
from scorebench.runs.launch import run as launch_run
from scorebench.runs.server import add_sizes, running_server
from scorebench.servers import kinds
from scorebench.servers.kinds import KINDS

if TYPE_CHECKING:
    from scorebench.comparison.matrix import Cell

DEFAULT_USERS, DEFAULT_RUN_TIME, DEFAULT_WARM_UP = 2, "10s", "2s"


def add(commands: Any) -> None:
    parser = commands.add_parser("matrix", help="measure every server with every demo model, in one table")
    _add_list(parser, "--servers", tuple(KINDS), "servers")
    _add_list(parser, "--flavors", served(), "demo models")
    parser.add_argument(
        "--formats", default=DEFAULTS["format"], metavar="LIST", help="body formats, comma-separated"
    )
    parser.add_argument(
        "-u", "--users", type=int, default=DEFAULT_USERS, metavar="N", help="concurrent users"
    )
    parser.add_argument(
        "-t", "--run-time", default=DEFAULT_RUN_TIME, metavar="TIME", help="length of each run"
    )
    parser.add_argument("--warm-up", default=DEFAULT_WARM_UP, metavar="TIME", help="warm-up of each run")
    parser.add_argument("--rows", type=int, metavar="N", help="send only the first N rows")
    parser.add_argument("--rows-per-call", type=int, default=1, metavar="N", help="rows in each call")
    parser.add_argument("--generator-cpus", metavar="LIST", help="cores for the load generator, such as 1")
    parser.add_argument(
        "--report-dir",
        type=Path,
        default=Path(REPORT_DIR),
        metavar="DIR",
        help="where to create each run's folder",
    )
    parser.add_argument("--port", type=int, metavar="N", help=f"port on 127.0.0.1 ({kinds.ports()})")
    add_sizes(parser)
    parser.set_defaults(run=_matrix, model_uri=None)


def _add_list(parser: Any, flag: str, known: tuple[str, ...], what: str) -> None:
    parser.add_argument(
        flag, default=",".join(known), metavar="LIST", help=f"{what} to measure, comma-separated"
    )


def _matrix(options: argparse.Namespace) -> int:
    from scorebench.comparison.matrix import Matrix
    from scorebench.folders import folder
    from scorebench.report import matrix as report

    servers = _listed("--servers", options.servers, tuple(KINDS))
    flavors = _listed("--flavors", options.flavors, served())
    formats = _formats(options.formats)
    _check(options)
    cells: list[Cell] = []
    wanted = [(s, f, x) for s in servers for f in flavors for x in _of_flavor(f, formats)]
    interrupted = False
    with run_folder(options.report_dir, "matrix") as path:
        for number, (server, flavor, format) in enumerate(wanted, 1):
            print(f"{number} of {len(wanted)}: {server}, {flavor}, {format}", file=sys.stderr, flush=True)
            try:
                cells.append(_cell(options, path, server, flavor, format))
            except KeyboardInterrupt:
                interrupted = True
                break
        matrix = Matrix(tuple(cells), _titles())
        folder.write_text(path / MATRIX_MARKDOWN, report.render(matrix))
        folder.write_text(path / MATRIX_CSV, report.render_csv(matrix))
        folder.write_text(path / MATRIX_JSON, report.render_json(matrix))
    print(report.render(matrix), end="")
    print(f"\nreport: {path}")
    return 130 if interrupted else 0


def _cell(options: argparse.Namespace, path: Path, server: str, flavor: str, format: str) -> Cell:
    """Bring up, measure, take down. Whatever goes wrong with it is the cell's text."""
    from scorebench.comparison.matrix import Cell, measured_cell
    from scorebench.figures.summary import summarise
    from scorebench.folders import folder
    from scorebench.servers.protocol import ServerFailed
    from scorebench.verdicts.verdict import judge

    name = f"{server}-{flavor}" + (
        "" if format in (DEFAULTS["format"], FLAVORS[flavor].only_format) else f"-{format}"
    )
    one = path / name
    one.mkdir()
    asked = argparse.Namespace(**{**vars(options), "target": server, "flavor": flavor, "quiet": False})
    interrupted: list[int] = []
    try:
        with running_server(asked, one) as running:
            launch = _launch(options, running.endpoint, one, format)
            code = launch_run(launch, running, on_signal=interrupted.append)
    except (ServerFailed, InputError) as error:
        said = error.reason if isinstance(error, ServerFailed) else str(error)
        return Cell(server, flavor, format, error=said, folder=name)
    if interrupted:
        raise KeyboardInterrupt
    if not (one / RECORDING).exists():
        return Cell(server, flavor, format, error=f"the run ended with exit code {code}", folder=None)
    recording = folder.read(one)
    summary = summarise(recording)
    valid = judge(summary, recording).valid
    return measured_cell(server, flavor, format, summary, valid=valid, folder=name)


def _launch(options: argparse.Namespace, url: str, path: Path, format: str) -> Launch:
    return Launch(
        url=url,
        folder=path,
        users=options.users,
        run_time=options.run_time,
        options={
            "format": format,
            "warm_up": options.warm_up,
            "rows": options.rows,
            "rows_per_call": options.rows_per_call,
        },
        generator_cpus=options.generator_cpus,
        command=shlex.join(["scorebench", *options.words]),
        show_report=False,
    )


def _check(options: argparse.Namespace) -> None:
    from scorebench.options import settings
    from scorebench.servers import parse_cpus
    from scorebench.units import parse_seconds

    if options.users < 1:
        raise InputError(f"--users {options.users}: expected at least 1")
    for flag in ("cpus", "generator_cpus"):
        if getattr(options, flag) is not None:
            parse_cpus(getattr(options, flag), f"--{flag.replace('_', '-')}")
    asked = {name: getattr(options, name) for name in ("warm_up", "rows", "rows_per_call")}
    run_time = parse_seconds(options.run_time, "--run-time")
    settings.from_namespace(argparse.Namespace(**asked, run_time=run_time), "http://127.0.0.1")
    for flavor in _listed("--flavors", options.flavors, served()):
        demo_model(flavor)  # now: making one takes longer than measuring it


def _listed(flag: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        raise InputError(f"{flag} {text}: expected some of {', '.join(known)}, with commas between")
    return words


def _formats(text: str) -> tuple[str, ...]:
    from scorebench.payloads.formats import FORMATS

    return _listed("--formats", text, tuple(FORMATS))


def _of_flavor(flavor: str, formats: tuple[str, ...]) -> tuple[str, ...]:
    only = FLAVORS[flavor].only_format
    return formats if only is None else (only,)


def _titles() -> dict[str, str]:
    """What the table shows for the name of a kind of server or of a flavor."""
    titles = {name: kind.title for name, kind in KINDS.items()}
    return titles | {name: flavor.title for name, flavor in FLAVORS.items()}
