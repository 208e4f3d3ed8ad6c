"""`scorebench.run`: a load test from Python, as the command would do it. Wiring.

Locust runs in a process of its own, so that gevent's patches stay out of a notebook or a test.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.options import OPTIONS
from scorebench.summary import Summary
from scorebench.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

_SERVER_OPTIONS = ("flavor", "model_uri", "port", "workers", "cpus", "cpu_limit", "memory", "base_image")
_LOAD_OPTIONS = ("processes", "generator_cpus")
_KNOWN = {*(option.name for option in OPTIONS), *_SERVER_OPTIONS, *_LOAD_OPTIONS, "users", "limits"}


@dataclass(frozen=True, kw_only=True)
class Result(Summary):
    """The figures of a run, its verdicts, and the folder that holds all of it."""

    verdict: Verdict
    folder: Path

    @property
    def valid_measurement(self) -> bool:
        """Whether the figures can be trusted."""
        return self.verdict.valid

    @property
    def met(self) -> bool | None:
        """Whether every limit was kept; None where there was none, or one could not be judged."""
        return self.verdict.met

    def to_frame(self) -> pd.DataFrame:
        """A row a user: worker, user, calls, valid, and mean, min, max of the service time in seconds."""
        from scorebench.summary_views import to_frame

        return to_frame(self)

    def _repr_html_(self) -> str:
        from scorebench.summary_views import to_html

        return to_html(self, self.verdict)

    def plot(self) -> Any:
        """Response and service time by percentile, as a Plotly figure (the extra `plots`)."""
        from scorebench.summary_views import plot

        return plot(self)


def run(
    target: str,
    *,
    users: int | None = None,
    run_time: str | float | None = None,
    limits: Sequence[str] = (),
    data: pd.DataFrame | str | Path | None = None,
    quiet: bool = False,
    **options: Any,
) -> Result:
    """Load-test `target`: a URL, or webserver, docker or sagemaker, brought up for it and stopped after.

    `run_time` is text such as "30s", or seconds; `data` a frame or a file. `options` are those of `scorebench
    run`, with underscores: rate, arrivals, warm_up, rows_per_call, format, model_uri, workers … InputError
    for what `scorebench run` would refuse; ServerFailed where the server does not come up. Failed calls and
    missed limits raise nothing: they are what was measured.
    """
    with ExitStack() as stack:
        asked = _options(target, options)
        asked.users, asked.quiet = users, quiet
        asked.limit = list(limits) or None
        asked.run_time = f"{run_time:g}s" if isinstance(run_time, int | float) else run_time
        asked.data = None if data is None else str(stack.enter_context(_file_of(data)))
        return _measure(asked)


def _options(target: str, options: dict[str, Any]) -> argparse.Namespace:
    """What the command would have parsed, with `options` put in."""
    from scorebench.cli import parser

    for name in options:
        if name not in _KNOWN:
            near = get_close_matches(name, _KNOWN, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(f"scorebench.run: no option {name!r}{hint}")
    asked = parser().parse_args(["run", target])
    asked.words = ["run", target]
    for name, value in options.items():
        setattr(
            asked, name, ",".join(map(str, value)) if name == "cpus" and not isinstance(value, str) else value
        )
    return asked


@contextmanager
def _file_of(data: pd.DataFrame | str | Path) -> Iterator[Path]:
    if isinstance(data, str | Path):
        yield Path(data)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        data.to_parquet(path, index=False)
        yield path


def _measure(asked: argparse.Namespace) -> Result:
    from scorebench import launch
    from scorebench.commands.bring_up import SERVERS, running_server
    from scorebench.commands.publish import finished
    from scorebench.commands.run import checked, launch_of, run_folder

    settings = checked(asked)
    bring_up = asked.target in SERVERS
    said: list[str] = []
    signals: list[int] = []
    show = _display(asked.quiet)

    def on_output(line: str) -> None:
        if line.startswith("{"):
            show(json.loads(line))
        else:
            said.append(line)

    with ExitStack() as stack:
        path = stack.enter_context(
            run_folder(settings.report_dir, asked.target if bring_up else settings.target.host)
        )
        server = stack.enter_context(running_server(asked, path)) if bring_up else None
        url = asked.target if server is None else server.endpoint
        wanted = launch_of(asked, url, path, show_report=False, progress="json")
        code = launch.run(wanted, server, on_output=on_output, on_signal=signals.append)
        if code == 2:
            raise InputError(said[-1].removeprefix("scorebench: ") if said else "the run was refused")
    if signals:
        raise KeyboardInterrupt
    if not path.exists():
        raise RuntimeError("\n".join(["the run ended without a report; it said:", *said[-20:]]))
    done = finished(path)
    summary = {field.name: getattr(done.summary, field.name) for field in fields(Summary)}
    return Result(**summary, verdict=done.verdict, folder=path)


def _display(quiet: bool) -> Any:
    """What shows a line of progress: a notebook's cell, a terminal's line, or nothing."""
    from scorebench.live import Live
    from scorebench.report.live import line

    if quiet:
        return lambda _told: None
    if "ipykernel" in sys.modules:
        from IPython.display import display

        shown: Any = display(  # type: ignore[no-untyped-call]
            {"text/plain": "starting"}, raw=True, display_id=True
        )
        return lambda told: shown.update({"text/plain": line(Live(**told))}, raw=True)
    if sys.stderr.isatty():
        return lambda told: print(f"\r\x1b[2K{line(Live(**told))}", end="", file=sys.stderr, flush=True)
    return lambda _told: None
