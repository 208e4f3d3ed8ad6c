"""`scorebench advise`: what to change, from a run or a sweep. Wiring."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scorebench.folders.names import SWEEP


def add(commands: Any) -> None:
    parser = commands.add_parser("advise", help="say what to change, from the figures of a run or a sweep")
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder of a run or of a sweep")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_advise)


def _advise(options: argparse.Namespace) -> int:
    from scorebench.report import advice

    found, invalid = _of(options.directory)
    print((advice.render_json if options.json else advice.render)(found, invalid), end="")
    return 0


def _of(path: Path) -> tuple[list[Any], str | None]:
    """The advice, and why there can be none."""
    if (path / SWEEP).is_file():
        from scorebench.advice.sweep_rules import advise_sweep
        from scorebench.folders.sweeps import read_sweep

        return advise_sweep(read_sweep(path)), None
    from scorebench.advice.record import Facts
    from scorebench.advice.rules import advise
    from scorebench.folders.finished import finished

    done = finished(path)
    facts = Facts(done.summary, done.recording, tuple(done.verdict.findings))
    return advise(facts), facts.invalid
