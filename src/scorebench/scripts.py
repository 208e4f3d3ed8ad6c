"""The two commands that scorebench grew from: benchmark.py and threaded_benchmark.py.

Knows their options and what they print in which order; the tables are made in `report.scripts`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.folders import atomic
from scorebench.models.demo_data import LABEL
from scorebench.options.one_line import OneLine
from scorebench.options.table import DEFAULTS

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.options.settings import Settings
    from scorebench.payloads.payload import Payload
    from scorebench.plugin.users.passes import Call
    from scorebench.recordings.recording import Recording

DATA = Path("payloads/wine.csv")


def main(*, threaded: bool, arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when every call was valid, 1 when some were not, 2 for wrong input."""
    options = _parser(threaded).parse_args(arguments)
    try:
        return _measure(options, threaded)
    except InputError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 2


def _parser(threaded: bool) -> argparse.ArgumentParser:
    what = "N callers at once" if threaded else "one caller"
    parser = OneLine(description=f"Score every record once, one call each, with {what}.")
    parser.add_argument("--host", default="localhost", help="the server's host name (localhost)")
    parser.add_argument("--port", type=int, default=5001, help="its port (5001)")
    parser.add_argument("--uri", help="the whole URL instead, such as http://localhost:5001/invocations")
    parser.add_argument("--data_path", type=Path, default=DATA, help=f"CSV, Parquet or JSON ({DATA})")
    parser.add_argument("--num_records", type=int, help="only the first N records")
    parser.add_argument("--log_mod", type=int, default=100, help="print every Nth call (100)")
    parser.add_argument("--num_iters", type=int, default=1, help="walk the data N times (1)")
    parser.add_argument("--output_file_base", help="write BASE.json and BASE.csv")
    parser.add_argument("--label", default=LABEL, help=f"column to leave out ({LABEL})")
    parser.add_argument("--format", default=DEFAULTS["format"], help="the body's format (split)")
    parser.add_argument("--model", help="model whose signature selects and casts the columns")
    if threaded:
        parser.add_argument("--num_threads", type=int, default=1, help="callers at once (1)")
    return parser


def _measure(options: argparse.Namespace, threaded: bool) -> int:
    users = options.num_threads if threaded else 1
    for flag in ("num_records", "num_iters", "log_mod", *(("num_threads",) if threaded else ())):
        if (given := getattr(options, flag)) is not None and given < 1:
            raise InputError(f"--{flag} {given}: expected at least 1")
    _check_output(options.output_file_base)
    # Locust patches sockets and TLS when it is imported, which has to come before anything that uses them.
    from scorebench.plugin.users import passes  # isort: skip
    from scorebench.client.probe import server_version
    from scorebench.runs.prepare import payload_of
    from scorebench.runs.progress import steps

    settings = _settings(options, users)
    payload = payload_of(settings)
    server_version(settings.target)
    with steps(
        "calls", total=users * options.num_iters * len(payload.bodies), unit="calls", quiet=not threaded
    ) as step:
        shown = _Shown(options, payload, None if threaded else print)

        def on_call(call: Call) -> None:
            shown.show(call)
            step(1)

        recording = passes.walk(
            settings,
            payload,
            users=users,
            iterations=options.num_iters,
            on_call=on_call,
            wanted=lambda number: threaded or number % options.log_mod == 0,
        )
    return _conclude(options, recording, threaded)


def _settings(options: argparse.Namespace, users: int) -> Settings:
    from scorebench.options import settings

    asked = {
        "data": str(options.data_path),
        "rows": options.num_records,
        "label": options.label,
        "format": options.format,
        "model": options.model,
        "num_users": users,
    }
    url = options.uri or f"http://{options.host}:{options.port}"
    return settings.from_namespace(argparse.Namespace(**asked), url)


class _Shown:
    """Prints a call as the old scripts did: its number, its seconds, the predictions."""

    def __init__(self, options: argparse.Namespace, payload: Payload, out: Any) -> None:
        self._total = len(payload.bodies) * options.num_iters
        self._out = out
        if out is not None:
            out("Calls:")

    def show(self, call: Call) -> None:
        if self._out is None:
            return
        said = call.outcome.label if call.predictions is None else _numbers(call.predictions)
        self._out(f"  {call.number}/{self._total}: {call.service_time_s:.3f} - {said}")


def _numbers(predictions: list[Any]) -> str:
    said = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in predictions[:10]]
    return f"[{', '.join(said)}{', …' if len(predictions) > 10 else ''}]"


def _conclude(options: argparse.Namespace, recording: Recording, threaded: bool) -> int:
    from scorebench.figures.summary import summarise
    from scorebench.report import scripts as tables

    summary = summarise(recording)
    if problem := tables.nothing_valid(summary):
        print(problem, file=sys.stderr)
        return 1
    print(tables.table(summary) if threaded else tables.results(summary, recording.measured.rows))
    print(tables.more(summary))
    if options.output_file_base:
        _write(options.output_file_base, summary)
    return 0 if summary.valid == summary.calls else 1


def _check_output(base: str | None) -> None:
    if base is None:
        return
    folder = Path(f"{base}.json").parent
    if not folder.is_dir():
        raise InputError(f"--output_file_base {base}: no folder {folder}; make it, or name another")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"--output_file_base {base}: no file can be made there ({error.strerror}); name another place"
        ) from None


def _write(base: str, summary: Summary) -> None:
    from scorebench.report.data import dumped, users_csv
    from scorebench.report.forms.summary import figures_of

    atomic.write_text(Path(f"{base}.json"), dumped(figures_of(summary), indent=2))
    atomic.write_text(Path(f"{base}.csv"), users_csv(summary))
