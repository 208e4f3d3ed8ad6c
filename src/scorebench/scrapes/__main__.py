"""Scrapes a server until its standard input ends: `python -m scorebench.scrapes [CA_FILE]`.

A process of its own, so that neither a large page nor a hostile one delays the users of the generator. It
reads the URLs from its standard input, where other users of this machine can't see them: a line each, and an
empty one. Knows a clock and two pipes; nothing of a run.
"""

from __future__ import annotations

import select
import sys
import time
from pathlib import Path

import msgspec

from scorebench.scrapes.asked import places_of
from scorebench.scrapes.exposed import Unreadable
from scorebench.scrapes.message import Changes, Scrape
from scorebench.scrapes.places import Places

EVERY_S = 1.0
SLOWER_AFTER_S = 600.0
"""A long run is read at intervals of a 600th of its age: eight hours are some 3,000 readings, not 28,800."""
MOST_WORK = 0.1
"""Of a core, for pages so large that to read them takes long: the generator may need that core."""


def interval_s(age_s: float, worked_s: float) -> float:
    """From the begin of a reading to that of the next."""
    return max(EVERY_S, age_s / SLOWER_AFTER_S, worked_s / MOST_WORK)


def main(arguments: list[str]) -> None:
    """Tell a reading at once, then regularly, and one more at the end."""
    urls = iter(lambda: sys.stdin.readline().strip(), "")
    places = Places(places_of(urls), Path(arguments[0]) if arguments else None)
    counters, gauges = Changes(), Changes()
    began_s = time.monotonic()
    is_over = False
    while True:
        read_s, worked_s = time.monotonic(), time.process_time()
        _tell(places, counters, gauges)
        if is_over:
            return
        due_s = read_s + interval_s(read_s - began_s, time.process_time() - worked_s)
        is_over = bool(select.select([sys.stdin], [], [], max(due_s - time.monotonic(), 0.0))[0])


def _tell(places: Places, counters: Changes, gauges: Changes) -> None:
    try:
        found = places.scrape()
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
