"""Scrapes a server until its standard input ends: `python -m scorebench.scrapes [CA_FILE]`.

A process of its own, so that neither a large page nor a hostile one delays the users of the generator. It
reads the URL from its standard input, where other users of this machine can't see it. Knows a clock and two
pipes; nothing of a run.
"""

from __future__ import annotations

import select
import sys
import time
from pathlib import Path

import msgspec

from scorebench.scrapes.exposed import Unreadable
from scorebench.scrapes.message import Changes, Scrape
from scorebench.scrapes.place import Place, place_of

EVERY_S = 1.0
SLOWER_AFTER_S = 600.0
"""A long run is read at intervals of a 600th of its age: eight hours are some 3,000 readings, not 28,800."""


def interval_s(age_s: float) -> float:
    """Until the next reading."""
    return max(EVERY_S, age_s / SLOWER_AFTER_S)


def main(arguments: list[str]) -> None:
    """Tell a reading at once, then regularly, and one more at the end."""
    place = Place(place_of(sys.stdin.readline()), Path(arguments[0]) if arguments else None)
    counters, gauges = Changes(), Changes()
    began_s = time.monotonic()
    is_over = False
    while True:
        due_s = time.monotonic() + interval_s(time.monotonic() - began_s)
        _tell(place, counters, gauges)
        if is_over:
            return
        is_over = bool(select.select([sys.stdin], [], [], max(due_s - time.monotonic(), 0.0))[0])


def _tell(place: Place, counters: Changes, gauges: Changes) -> None:
    try:
        found = place.scrape()
    except Unreadable as why:
        reading = Scrape(t_s=time.time(), failed=f"{why}"[:1_000])
    else:
        reading = Scrape(
            t_s=time.time(),
            counters=counters.of(found.counters),
            gauges=gauges.of(found.gauges),
            left_out=found.left_out,
        )
    sys.stdout.write(msgspec.json.encode(reading).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
