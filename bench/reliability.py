"""Prints the tables of docs/reliability.md: what servers and signals did, and what came of it.

    python bench/reliability.py hostile |
        python bench/paste.py docs/reliability.md 'python bench/reliability.py hostile' --markdown

`hostile` takes a minute. `signals` takes some minutes: each row is a whole run. Exit 1 where a row
does not hold.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

if not __package__:  # run as a script: `tests` is found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.reliability.hostile import ALL, HOSTILE, Hostile
from tests.reliability.meeting import Met, hostile_server, meet
from tests.reliability.signals import KILLS, Ended, Kill, RunWasOver, suffer


def main() -> int:
    """Print one table; 0 where every row holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=("hostile", "signals"))
    parser.add_argument("--at-once", type=int, default=2, help="runs at the same time, for signals (2)")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored by all of us
    rows = hostile_rows() if options.table == "hostile" else signal_rows(options.at_once)
    held = [True]
    for row in rows:
        print(row, flush=True)
        held.append("**no**" not in row)
    return int(not all(held))


def hostile_rows() -> Iterator[str]:
    """A row for each behaviour, under a line for its family."""
    yield "| The server … | Expected | Got | Calls in its log: read, answered | Holds |"
    yield "|---|---|---|---|---|"
    families = {case.does: family for family, cases in HOSTILE.items() for case in cases}
    with hostile_server(ALL) as server:
        for family, group in groupby(enumerate(ALL), key=lambda item: families[item[1].does]):
            yield f"| **{family}** | | | | |"
            for number, case in group:
                yield _hostile_row(case, meet(server, number, case))


def _hostile_row(case: Hostile, met: Met) -> str:
    unasked = f"; more than asked for, {met.unasked} times" if met.unasked else ""
    cells = (
        case.does,
        _in_short(case.expected),
        _in_short(met.got) + unasked,
        f"{met.read}, {met.answered}",
        _word(met.holds(case)),
    )
    return f"| {' | '.join(cells)} |"


def _in_short(labels: tuple[str, ...]) -> str:
    return ", ".join(
        f"{n} {label}" for label, n in ((key, len(list(group))) for key, group in groupby(labels))
    )


def signal_rows(at_once: int) -> Iterator[str]:
    """A row for each signal, process and moment."""
    yield "| Signal | To | When | Expected | Got | Calls: in the log, counted, valid | Holds |"
    yield "|---|---|---|---|---|---|---|"
    with ThreadPoolExecutor(at_once) as pool:
        for kill, ended in zip(KILLS, pool.map(_suffer, KILLS), strict=True):
            yield _signal_row(kill, ended)


def _suffer(kill: Kill) -> Ended:
    """Again, once, where the machine was too busy to send the signal at its moment."""
    try:
        return suffer(kill)
    except RunWasOver:
        return suffer(kill)


def _signal_row(kill: Kill, ended: Ended) -> str:
    faults = ended.faults(kill)
    counted = ("no report",) if ended.summary is None else (ended.summary["calls"], ended.summary["valid"])
    log = "lost with it" if ended.log is None else ended.log
    cells = (
        kill.signal.name,
        kill.who,
        kill.when,
        kill.words,
        f"exit {ended.code}{''.join(f'; {fault}' for fault in faults)}",
        ", ".join(map(str, (log, *counted))),
        _word(not faults),
    )
    return f"| {' | '.join(cells)} |"


def _word(holds: bool) -> str:
    return "yes" if holds else "**no**"


if __name__ == "__main__":
    sys.exit(main())
