"""The outputs of a run besides its folder: JUnit file, GitHub summary, MLflow run. Knows where each goes.

Knows nothing of how a run is made: folders are all that it reads.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.client.hiding import in_urls
from scorebench.errors import InputError

if TYPE_CHECKING:
    from scorebench.folders.finished import Finished

GITHUB_VARIABLE = "GITHUB_STEP_SUMMARY"


def is_asked(options: argparse.Namespace) -> bool:
    """Whether the results go anywhere besides the run's folder."""
    return options.junit is not None or options.github_summary or bool(options.mlflow_experiment)


def check(options: argparse.Namespace) -> None:
    """InputError, before anything is started, for outputs that could not be written later."""
    if options.junit is not None and not options.junit.absolute().parent.is_dir():
        raise InputError(
            f"--junit {options.junit}: no folder {options.junit.parent}; make it, or name another"
        )
    if options.junit is not None and options.junit.is_dir():
        raise InputError(
            f"--junit {options.junit}: is a folder; expected the name of a file, such as out.xml"
        )
    if options.github_summary and not os.environ.get(GITHUB_VARIABLE):
        raise InputError(
            f"--github-summary: {GITHUB_VARIABLE} is not set; GitHub Actions sets it. "
            "Elsewhere use: scorebench report --format markdown"
        )
    if options.mlflow_experiment:
        from scorebench.runs import tracking

        tracking.check(options.mlflow_experiment)


def publish(options: argparse.Namespace, found: Sequence[Finished]) -> None:
    """Write the requested outputs; a failure is one line on stderr and changes nothing else."""
    if not found:
        return
    if len(found) > 1 and not options.quiet:
        from scorebench.report import repeats

        print(repeats.render([one.summary for one in found], [one.verdict for one in found]), end="")
        print(f"\nreport: {found[0].folder.parent}")
    for place, write in _outlets(options, found):
        try:
            write()
        except OSError as problem:  # which may name a temporary file, or none
            why = problem.strerror or str(problem)
            print(f"scorebench: {place}: {why}; the run is kept", file=sys.stderr)
    for one in found if options.mlflow_experiment else ():
        _track(one, options.mlflow_experiment, quiet=options.quiet)


def _track(one: Finished, experiment: str, *, quiet: bool) -> None:
    from scorebench.report.words import plain
    from scorebench.runs import tracking

    try:
        with redirect_stdout(io.StringIO()) as said_by_mlflow:
            run_id = tracking.log(one.folder, experiment, one.recording, one.summary, one.verdict)
    except Exception as problem:  # MLflow's, requests' and SQLAlchemy's, as they come; the run is what counts
        reason = f"{type(problem).__name__}: {plain(in_urls(str(problem)), 200)}"
        print(
            f"scorebench: --mlflow-experiment {plain(experiment)}: not logged ({reason}); "
            f"the run is kept in {one.folder}",
            file=sys.stderr,
        )
        return
    if not quiet:
        # The run's address, which may hold the password of the tracking server.
        print(in_urls(said_by_mlflow.getvalue()), end="", file=sys.stderr)
        print(f"MLflow: run {run_id} in experiment {plain(experiment)}", file=sys.stderr)


def _outlets(
    options: argparse.Namespace, found: Sequence[Finished]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each file that was asked for, and what writes it."""
    if options.junit is not None:
        yield f"--junit {options.junit}", lambda: _write_junit(options.junit, found)
    if options.github_summary:
        summary = Path(os.environ[GITHUB_VARIABLE])
        yield f"--github-summary: {GITHUB_VARIABLE}={summary}", lambda: _write_github(summary, found)


def _write_junit(path: Path, found: Sequence[Finished]) -> None:
    from scorebench.folders import atomic
    from scorebench.report import junit

    atomic.write_text(path, junit.render_all([(one.folder.name, one.summary, one.verdict) for one in found]))


def _write_github(path: Path, found: Sequence[Finished]) -> None:
    """Annotations first: they need no file."""
    from scorebench.report import github, markdown

    for one in found:
        print(github.annotate(one.verdict), end="")
    with path.open("a", encoding="utf-8") as file:
        file.writelines(markdown.render(one.summary, one.verdict) + "\n" for one in found)
