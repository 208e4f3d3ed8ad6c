"""`scorebench matrix`: every server with every flavor, one table. Wiring."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.folders.names import MATRIX_CSV, MATRIX_JSON, MATRIX_MARKDOWN, PAGE
from scorebench.models.flavors import FLAVORS, demo_model, served
from scorebench.options.table import DEFAULTS, REPORT_DIR
from scorebench.options.values import path_of
from scorebench.payloads.fetching import is_uri
from scorebench.runs import arguments
from scorebench.servers.kinds import KINDS

if TYPE_CHECKING:
    from scorebench.comparison.matrix import Cell, Matrix
    from scorebench.runs.request import Request

DEFAULT_USERS, DEFAULT_RUN_TIME, DEFAULT_WARM_UP = 2, "10s", "2s"


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "matrix", help="measure every server with every demo model, or with yours, in one table"
    )
    _add_list(parser, "--servers", tuple(KINDS), "servers")
    parser.add_argument(
        "--flavors",
        metavar="LIST",
        help=f"demo models to measure, comma-separated (default: {','.join(served())})",
    )
    arguments.add_model(parser)
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
        type=path_of,
        default=Path(REPORT_DIR),
        metavar="DIR",
        help="where to create each run's folder",
    )
    arguments.add_port(parser)
    arguments.add_sizes(parser)
    parser.set_defaults(run=_matrix)


def _add_list(parser: Any, flag: str, known: tuple[str, ...], what: str) -> None:
    parser.add_argument(
        flag, default=",".join(known), metavar="LIST", help=f"{what} to measure, comma-separated"
    )


def _matrix(options: argparse.Namespace) -> int:
    from scorebench.comparison.matrix import Matrix
    from scorebench.folders.fresh import run_folder

    requests = _requests(options)
    for flavor in dict.fromkeys(request.asked.flavor for request in requests if request.asked.flavor):
        demo_model(flavor)  # now: making one takes longer than measuring it
    cells: list[Cell] = []
    interrupted = False
    with run_folder(options.report_dir, "matrix") as path:
        for number, request in enumerate(requests, 1):
            print(f"{number} of {len(requests)}: {_cell_text(request)}", file=sys.stderr, flush=True)
            try:
                cells.append(_cell(request, path))
            except KeyboardInterrupt:
                interrupted = True
                break
        lost = _leave(Matrix(tuple(cells), _titles(), requests[0].command), path)
    if lost:
        return 130 if interrupted else 1
    print(f"\nreport: {path}")
    return 130 if interrupted else 0


def _requests(options: argparse.Namespace) -> list[Request]:
    """A run for each cell, checked before the first is started; so is the model that all of them get."""
    from scorebench.payloads.formats import FORMATS
    from scorebench.payloads.signature import read_model
    from scorebench.runs.request import Request
    from scorebench.servers import parse_cpus

    servers = _listed("--servers", options.servers, tuple(KINDS))
    flavors = _flavors(options)
    formats = _listed("--formats", options.formats, tuple(FORMATS))
    if options.cpus is not None:
        parse_cpus(options.cpus)
    if options.model is not None:
        read_model(options.model)
    return [
        Request.of(
            argparse.Namespace(**{**vars(options), "target": server, "flavor": flavor, "format": format})
        )
        for server in servers
        for flavor in flavors
        for format in _of_flavor(flavor, formats)
    ]


def _flavors(options: argparse.Namespace) -> tuple[str | None, ...]:
    """The demo models to measure; (None,) where the user's own model is."""
    if options.model is None:
        asked = ",".join(served()) if options.flavors is None else options.flavors
        return _listed("--flavors", asked, served())
    if options.flavors is not None:
        raise InputError(
            f"--flavors {options.flavors}: demo models, and --model {options.model} is given; leave one out"
        )
    return (None,)


def _column(request: Request) -> str:
    """What the table calls the model: the demo's name, or the last part of a folder or URI."""
    asked = request.asked
    return asked.flavor or "/".join(asked.model.rstrip("/").split("/")[-2 if is_uri(asked.model) else -1 :])


def _cell(request: Request, parent: Path) -> Cell:
    """Start the server, measure it, stop it. An error becomes the text of the cell."""
    from scorebench.comparison.matrix import Cell, measured_cell
    from scorebench.folders.finished import finished, is_finished
    from scorebench.runs import launch
    from scorebench.servers.protocol import ServerFailed

    asked = request.asked
    place = asked.target, _column(request), asked.format
    usual = asked.format == DEFAULTS["format"] or _of_flavor(asked.flavor, ()) == (asked.format,)
    path = parent / f"{asked.target}-{asked.flavor or 'model'}{'' if usual else f'-{asked.format}'}"
    path.mkdir()
    interrupted: list[int] = []
    try:
        with request.bring_up(path) as running:
            assert running is not None
            wanted = request.launch(running.endpoint, path, show_report=False)
            code = launch.run(wanted, running, on_signal=interrupted.append)
    except (ServerFailed, InputError) as error:
        reason = error.reason if isinstance(error, ServerFailed) else str(error)
        return Cell(*place, error=reason, folder=path.name)
    if interrupted:
        raise KeyboardInterrupt
    if not is_finished(path):
        return Cell(*place, error=f"the run ended with exit code {code}", folder=None)
    done = finished(path)
    return measured_cell(*place, done.summary, valid=done.verdict.valid, folder=path.name)


def _leave(matrix: Matrix, path: Path) -> bool:
    """Print the table and write it in all its forms; whether one of them could not be written."""
    from scorebench.folders import atomic
    from scorebench.report import matrix as report
    from scorebench.report import matrix_page

    text = report.render(matrix)
    print(text, end="", flush=True)
    files = [
        (MATRIX_MARKDOWN, lambda: text),
        (MATRIX_CSV, lambda: report.render_csv(matrix)),
        (MATRIX_JSON, lambda: report.render_json(matrix)),
        (PAGE, lambda: matrix_page.render(matrix)),
    ]
    unwritten = atomic.write_what_fits(path, files)
    if line := atomic.loss(path, unwritten):
        print(f"scorebench: {line}", file=sys.stderr)
    return bool(unwritten)


def _cell_text(request: Request) -> str:
    return f"{request.asked.target}, {_column(request)}, {request.asked.format}"


def _listed(flag: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        raise InputError(f"{flag} {text}: expected a comma-separated list of {', '.join(known)}")
    return words


def _of_flavor(flavor: str | None, formats: tuple[str, ...]) -> tuple[str, ...]:
    only = None if flavor is None else FLAVORS[flavor].only_format
    return formats if only is None else (only,)


def _titles() -> dict[str, str]:
    """What the table shows for the name of a kind of server or of a flavor."""
    titles = {name: kind.title for name, kind in KINDS.items()}
    return titles | {name: flavor.title for name, flavor in FLAVORS.items()}
