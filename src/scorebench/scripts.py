"""The two commands that scorebench grew from: benchmark.py and threaded_benchmark.py.

Knows their options and what they print in which order; the tables are made in `report.scripts`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.options.one_line import OneLine
from scorebench.options.table import DEFAULTS

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.options.settings import Settings
    from scorebench.plugin.users.passes import Call

COUNTS = ("num_records", "num_iters", "num_requests", "num_threads", "log_mod")


def main(*, threaded: bool, arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when every call was valid, 1 when some were not, 2 for wrong input."""
    options = _parser(threaded).parse_args(arguments)
    try:
        return _measure(options, threaded)
    except InputError as error:
        print(f"{_name()}: {error}", file=sys.stderr)
        return 2


def _name() -> str:
    return Path(sys.argv[0]).name


def _parser(threaded: bool) -> argparse.ArgumentParser:
    """Its options; `--num-records` is `--num_records`."""
    from scorebench.models.demo_data import LABEL

    what = "N callers at once" if threaded else "one caller"
    parser = OneLine(description=f"Score every record once, one call each, with {what}.")

    def add(name: str, text: str, **how: Any) -> None:
        both = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
        parser.add_argument(*both, help=text, metavar=how.pop("metavar", "N"), **how)

    add("host", "the server's host name or address", metavar="HOST", default="localhost")
    add("port", "the server's port", type=int, default=5001)
    add("uri", "full URL, such as http://localhost:5001/invocations, instead of host and port", metavar="URL")
    add("bearer_env", "environment variable that holds a bearer token", metavar="NAME")
    parser.add_argument("--token", help=argparse.SUPPRESS)
    add("data_path", "CSV, Parquet or JSON file with the records (default: the demo's)", metavar="FILE")
    add("num_records", "use only the first N records", type=int)
    add("num_iters", "go through the data N times", type=int, default=1)
    add("num_requests", "send N calls per caller, instead of whole passes over the data", type=int)
    add("log_mod", "print every Nth call", type=int, default=100)
    add("output_file_base", "write BASE-TIME.json and BASE-TIME.csv; BASE may be a folder/", metavar="BASE")
    add("label", "column to leave out", metavar="NAME", default=LABEL)
    add("format", "body format", metavar="FORMAT", default=DEFAULTS["format"])
    add("model", "model whose signature selects and casts the columns", metavar="URI")
    add("num_threads", "concurrent callers" if threaded else argparse.SUPPRESS, type=int, default=1)
    return parser


def _measure(options: argparse.Namespace, threaded: bool) -> int:
    _check(options)
    # Locust patches sockets and TLS when it is imported, which has to come before anything that uses them.
    from scorebench.plugin.users import passes  # isort: skip
    from scorebench.client.probe import server_version
    from scorebench.figures.summary import summarise
    from scorebench.runs.prepare import payload_of

    users = options.num_threads if threaded else 1
    settings = _settings(options, users)
    settings.credentials.load()  # so that a missing one is reported before anything is sent
    payload = payload_of(settings)
    server_version(settings.target)
    records = len(payload.bodies)
    calls = options.num_requests or records * options.num_iters
    out = _Out()
    shown = _Shown(calls, threaded, out)
    recording = passes.walk(
        settings,
        payload,
        users=users,
        calls=calls,
        on_call=shown.show,
        wanted=lambda number: number % options.log_mod == 0,
    )
    summary = summarise(recording)
    sent = max((user.calls for user in summary.users), default=0)
    _print(summary, min(records, sent), threaded, out)
    written = not options.output_file_base or _write(options.output_file_base, summary)
    return 0 if written and summary.calls and summary.valid == summary.calls else 1


def _check(options: argparse.Namespace) -> None:
    if options.token is not None:
        raise InputError("--token: other users can see it; put it in a variable and pass --bearer_env NAME")
    for name in COUNTS:
        if (given := getattr(options, name)) is not None and given < 1:
            raise InputError(f"--{name} {given}: expected at least 1")
    if options.num_requests and options.num_iters > 1:
        raise InputError("--num_requests and --num_iters: both say how many calls to send; give one of them")
    if options.output_file_base:
        _check_output(options.output_file_base)


def _settings(options: argparse.Namespace, users: int) -> Settings:
    from scorebench.options import settings

    asked = {
        "data": options.data_path,
        "rows": options.num_records,
        "label": options.label,
        "format": options.format,
        "model": options.model,
        "bearer_env": options.bearer_env,
        "num_users": users,
    }
    host = f"[{options.host}]" if ":" in options.host else options.host
    return settings.from_namespace(
        argparse.Namespace(**asked), options.uri or f"http://{host}:{options.port}"
    )


class _Out:
    """Prints until nobody reads, as behind `| head`; the calls go on all the same."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # half a character in a prediction

    def __call__(self, text: str) -> None:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, sys.stdout.fileno())
            os.close(nothing)


class _Shown:
    """Prints a call as the old scripts did: its number, its seconds, the predictions."""

    def __init__(self, total: int, threaded: bool, out: _Out) -> None:
        self._total, self._threaded, self._out = total, threaded, out
        out("Calls:")

    def show(self, call: Call) -> None:
        text = call.outcome.label if call.predictions is None else _numbers(call.predictions)
        thread = f"{call.user}: " if self._threaded else ""
        self._out(f"  {thread}{call.number}/{self._total}: {call.service_time_s:.3f} - {text}")


def _numbers(predictions: list[Any]) -> str:
    text = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in predictions[:10]]
    return f"[{', '.join(text)}{', …' if len(predictions) > 10 else ''}]"


def _print(summary: Summary, records: int, threaded: bool, out: _Out) -> None:
    from scorebench.report import scripts as tables

    if problem := tables.nothing_valid(summary):
        print(problem, file=sys.stderr)
        return
    out(tables.table(summary) if threaded else tables.results(summary, records))
    out(tables.more(summary))


def _check_output(base: str) -> None:
    folder = _base(base).parent
    if not folder.is_dir():
        raise InputError(f"--output_file_base {base}: no folder {folder}; make it, or name another")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"--output_file_base {base}: can't create a file there ({error.strerror}); name another place"
        ) from None


def _base(base: str) -> Path:
    """Where the files go; in a folder they are named after the script."""
    return Path(base, Path(_name()).stem) if base.endswith(os.sep) or Path(base).is_dir() else Path(base)


def _free(base: str) -> Path:
    """`base` with the time, so that no run overwrites another's files; with a number where that is taken."""
    path = _base(base)
    stem = f"{path.name}-{time.strftime('%Y-%m-%dT%H%M%S')}"
    number = 1
    while True:
        named = path.with_name(f"{stem}-{number}" if number > 1 else stem)
        with contextlib.suppress(FileExistsError):
            Path(f"{named}.json").touch(exist_ok=False)
            return named
        number += 1


def _write(base: str, summary: Summary) -> bool:
    """False, and a line that says why, where the files can't be written: the figures are printed by then."""
    from scorebench.folders import atomic
    from scorebench.report.data import dumped, users_csv
    from scorebench.report.forms.summary import figures_of

    try:
        path = _free(base)
        atomic.write_text(Path(f"{path}.json"), dumped(figures_of(summary), indent=2))
        atomic.write_text(Path(f"{path}.csv"), users_csv(summary))
    except OSError as problem:
        print(f"{_name()}: --output_file_base {base}: not written ({problem.strerror})", file=sys.stderr)
        return False
    print(f"results: {path}.json and .csv", file=sys.stderr)
    return True
