"""How many bytes a worker sends its master: `docs/scale.md` is pasted from it. Counts; no time is taken."""

from __future__ import annotations

import argparse

import numpy as np

from scorebench.answers.outcome import Outcome
from scorebench.cluster import reports
from scorebench.cluster.lease import BEAT_S
from scorebench.plugin.lifecycle import messages
from scorebench.plugin.lifecycle.messages import Alive, Beat
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording

REPORT_S = 3.0
"""Between two reports of a worker: Locust's interval."""
USERS = (1, 10, 100, 1_000)
RATES = (100, 1_000, 10_000)


def calls_of(users: int, rate_per_s: int, seed: int = 1) -> Calls:
    """What one worker counts between two reports; service times are exponential with mean 20 ms."""
    draw = np.random.default_rng(seed)
    count = round(rate_per_s * REPORT_S)
    due_s = 1_700_000_000.0 + np.arange(count) / rate_per_s
    done_s = due_s + draw.exponential(0.02, count)
    whole = np.ones(count, dtype=np.int64)
    return Calls(
        user=np.arange(count, dtype=np.int64) % users,
        due_s=due_s,
        sent_s=due_s,
        done_s=done_s,
        outcome=whole * int(Outcome.VALID),
        waited=whole.astype(np.bool_),
        payload=whole * 0,
        rows=whole,
    )


def report_bytes(users: int, rate_per_s: int) -> int:
    """The size of one report."""
    recording = Recording()
    recording.add(calls_of(users, rate_per_s))
    return len(reports.pack(recording, [], 0))


def beat_bytes() -> int:
    """A beat and its answer."""
    beat, alive = Beat(1_000, 1_000_000, 1_000), Alive(1_000, is_member=True)
    return sum(len(messages.saying(one)[messages.KEY]) for one in (beat, alive))


def table() -> str:
    """A row for each number of users, a column for each rate."""
    head = "".join(f" {rate:,} calls/s |" for rate in RATES)
    rows = [
        f"| {users:,} |" + "".join(f" {report_bytes(users, rate) / 1e3:.1f} kB |" for rate in RATES)
        for users in USERS
    ]
    beats = f"A beat and its answer are {beat_bytes()} bytes of content, {1 / BEAT_S:g} times a second."
    return "\n".join([f"| users |{head}", "|---|" + "---|" * len(RATES), *rows, "", beats])


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(table())
