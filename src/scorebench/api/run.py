"""`scorebench.run`: a load test from Python, as the command would do it; `read`: one that is over. Wiring.

Locust runs in a process of its own, so that gevent's patches stay out of a notebook or a test.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.api.keywords import PLACE, parsed
from scorebench.api.result import Result
from scorebench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_LINES = 20
"""Of what a run said, shown when it ended without a recording."""


def run(
    target: str,
    *,
    users: int | None = None,
    run_time: str | float | None = None,
    limits: Sequence[str] | str = (),
    data: pd.DataFrame | str | os.PathLike[str] | None = None,
    quiet: bool = False,
    **options: Any,
) -> Result:
    """Load-test `target`: a URL, or webserver, docker or sagemaker, started for the run and stopped after.

    `run_time` is text such as "30s", or seconds; `data` a frame or a file. `options` are those of
    `scorebench run`, with underscores: rate, arrivals, warm_up, format, model, workers … InputError for
    what `scorebench run` would refuse; ServerFailed where the server does not come up; KeyboardInterrupt
    after Ctrl-C, once the run has ended and its folder is written. Failed calls and missed limits raise
    nothing: they are what was measured.
    """
    from scorebench.runs.request import command_of

    limit = [one for given in (limits, options.pop("limit", None) or ()) for one in _several(given)]
    if isinstance(run_time, int | float) and not isinstance(run_time, bool):
        run_time = f"{run_time:.15g}s"
    asked = {"users": users, "run_time": run_time, "limit": limit, "quiet": quiet, **options}
    if data is None or isinstance(data, str | os.PathLike):
        chosen = parsed(target, {"data": data, **asked})
        return _measure(chosen, command_of(chosen.words))
    with _file_of(data) as file:
        chosen = parsed(target, {"data": file, **asked})
        command = command_of(parsed(target, asked).words)
        return _measure(chosen, f"{command} --data FILE  # the {len(data):,} rows of a DataFrame")


def read(folder: str | os.PathLike[str], *, limits: Sequence[str] | str = ()) -> Result:
    """A finished run again, from the folder that it left, as `scorebench report` does; no server is needed.

    Judged by the limits that it was given, or by `limits`. InputError for a folder without a recording.
    """
    from scorebench.folders.finished import finished

    path = Path(folder)
    done = finished(path, _several(limits))
    return Result.of(done.summary, done.verdict, path if path.is_dir() else path.parent)


def _several(given: Sequence[str] | str) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


@contextmanager
def _file_of(data: Any) -> Iterator[Path]:
    """A frame as a file that lasts as long as the run."""
    if not hasattr(data, "to_parquet"):
        raise InputError(
            f"{PLACE} data: found {type(data).__name__}; expected a pandas DataFrame or the name of a file"
        )
    with tempfile.TemporaryDirectory(prefix="scorebench-") as folder:
        path = Path(folder) / "rows.parquet"
        try:
            data.to_parquet(path, index=False)
        except Exception as problem:  # pandas' and pyarrow's, as the columns make them come
            reason = " ".join(str(problem).split())
            raise InputError(f"{PLACE} data: a column can't be written as Parquet ({reason[:200]})") from None
        yield path


def _measure(asked: argparse.Namespace, command: str) -> Result:
    from scorebench.api.watching import watching
    from scorebench.folders.finished import finished, is_finished
    from scorebench.runs import launch, publish
    from scorebench.runs.request import Request

    request = Request.of(asked, command)
    publish.check(asked)
    signals: list[int] = []
    with request.ready() as ready, watching(quiet=asked.quiet) as watch:
        wanted = request.launch(ready.url, ready.folder, show_report=False, progress="json")
        code = launch.run(wanted, ready.server, on_output=watch.hear, on_signal=signals.append)
        if code == 2:
            raise InputError(
                watch.lines[-1].removeprefix("scorebench: ") if watch.lines else "the run was refused"
            )
    if signals:
        raise KeyboardInterrupt if signal.SIGINT in signals else SystemExit(128 + signals[0])
    if not is_finished(ready.folder):
        output = "\n".join(watch.lines[-_LINES:])
        raise RuntimeError(f"the run ended with exit code {code} and left no recording; it said:\n{output}")
    done = finished(ready.folder)
    publish.publish(asked, [done])
    return Result.of(done.summary, done.verdict, done.folder)
