"""Plans: queues by formula against tables and simulation; how many workers, and what cannot be known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scorebench
from scorebench.errors import InputError
from scorebench.plans.plan import LimitedBy, plan
from scorebench.plans.queues import erlang_c, waiting_s
from scorebench.report import plan as report
from scorebench.report import sweep as sweep_report
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell
from scorebench.sweeps.grid import Place
from tests.commands import here


@pytest.mark.parametrize(
    ("servers", "load", "share"),
    [
        (1, 0.7, 0.7),  # M/M/1: an arrival waits if the one server is busy
        (2, 1.0, 1 / 3),  # a^2/2 / (1 - a/2) / (1 + a + the same) = 1 / (1 + 1 + 1)
        (10, 8.0, 0.40918),  # tables of Erlang's C for 10 agents and 8 Erlangs: 40.9 %
        (3, 3.0, 1.0),
    ],
)
def test_erlang_c(servers: int, load: float, share: float) -> None:
    """The share that waits."""
    assert erlang_c(servers, load) == pytest.approx(share, rel=0.001)
    assert 0 < erlang_c(2000, 1500.0) < 1e-9  # what factorials would overflow for


def test_waiting_in_one_queue() -> None:
    """M/M/1 with 7 of 10 a second: P(W > t) = 0.7 exp(-3 t), so p99 is ln(70) / 3; p50 ln(1.4) / 3."""
    assert waiting_s(1, 7, 10, 0.99) == pytest.approx(math.log(70) / 3)
    assert waiting_s(1, 7, 10, 0.5) == pytest.approx(math.log(1.4) / 3)
    assert waiting_s(1, 4, 10, 0.5) == 0
    assert waiting_s(2, 20, 10, 0.99) == math.inf


@pytest.mark.parametrize(("servers", "rate"), [(1, 70.0), (4, 320.0)])
def test_waiting_is_what_a_simulated_queue_shows(servers: int, rate: float) -> None:
    """200,000 calls of exponential lengths, 100 a second and server: the 95th percentile within 10 %."""
    random = np.random.default_rng(5)
    count = 200_000
    arrivals = np.cumsum(random.exponential(1 / rate, count)).tolist()
    lengths = random.exponential(1 / 100, count).tolist()
    free, waits = [0.0] * servers, []
    for at, length in zip(arrivals, lengths, strict=True):
        first = min(range(servers), key=free.__getitem__)
        begin = max(at, free[first])
        free[first] = begin + length
        waits.append(begin - at)
    assert waiting_s(servers, rate, 100, 0.95) == pytest.approx(float(np.quantile(waits, 0.95)), rel=0.1)


def cell(workers: int, users: int, rates: list[float], p99_s: float | None = 0.02) -> SweepCell:
    runs = [
        Ran(
            f"cells/{n}",
            n,
            None,
            900,
            900,
            rate,
            rate,
            users / rate,
            0.01,
            p99_s,
            10,
            None,
            0.9 * workers,
            10**8 * workers,
        )
        for n, rate in enumerate(rates, 1)
    ]
    return SweepCell(Place("webserver", "sklearn", workers, "split", 1, users), tuple(runs))


def swept(*cells: SweepCell) -> Sweep:
    return Sweep(cells, Ended.DONE, 2, 9.0, "reports/x")


ONE = (cell(1, 1, [90, 90]), cell(1, 4, [95, 105]))
TWO = (*ONE, cell(2, 1, [90, 90]), cell(2, 4, [180, 180]))


def test_how_many_workers_a_rate_takes() -> None:
    """One worker carries 100/s, two 180/s: contention a from 180 = 200 / (1 + a), 0.111.

    60/s within 200 ms: one worker has 40/s to spare: its wait's p99 is ln(0.6 / 0.01) / 40 = 102 ms, and with
    the 20 ms of a call alone 122 ms. For 90/s it is ln(90) / 10 = 450 ms: two workers, by the queue. For
    190/s within 10 s two workers with 180/s are not enough at all.
    """
    one = plan(swept(*TWO), 60, 0.99, 0.2)
    assert one.workers == 1
    assert one.expected_s == pytest.approx(0.02 + math.log(60) / 40)
    assert one.contention == pytest.approx(1 / 9)
    two = plan(swept(*TWO), 90, 0.99, 0.2)
    assert (two.workers, two.limited_by) == (2, LimitedBy.QUEUE)
    three = plan(swept(*TWO), 190, 0.99, 10.0)
    assert three.limited_by is LimitedBy.THROUGHPUT
    assert three.workers is not None
    assert three.low is not None
    assert three.high is not None
    assert three.low <= three.workers <= three.high
    assert three.cpu == pytest.approx(190 * 0.9 / 100)


def test_from_one_number_of_workers_there_is_no_upper_bound() -> None:
    """How workers share the machine was not measured, and the plan says so."""
    found = plan(swept(*ONE), 300, 0.99, 0.2)
    assert (found.high, found.contention) == (None, None)
    text = report.render(found, "p99<200ms")
    assert "and no upper bound" in text
    assert "how workers share the machine" in text


def test_a_limit_below_a_call_alone_is_kept_by_no_number() -> None:
    """20 ms alone, 10 ms wanted."""
    found = plan(swept(*TWO), 10, 0.99, 0.01)
    assert (found.workers, found.expected_s) == (None, None)
    assert report.render(found, "p99<10ms").startswith(
        "No number of workers keeps 10/s at p99<10ms: a call alone"
    )


def test_a_rate_that_no_number_carries_is_not_put_on_a_call_alone() -> None:
    """With contention 1/9, workers together never carry more than 900/s; a call alone is within the limit."""
    found = plan(swept(*TWO), 1000, 0.99, 0.2)
    assert report.render(found, "p99<200ms").startswith(
        "No number of workers keeps 1,000/s at p99<200ms: 1,000 workers would be too few."
    )


def test_a_machine_with_too_few_cores_limits() -> None:
    """300/s take 300 x 0.9 / 100 = 2.7 cores. Two cores are too few, four do, and elsewhere nobody knows."""
    here_2 = replace(swept(*TWO), environment={"host_cores": 2, "shared_cores": True})
    found = plan(here_2, 300, 0.99, 1.0)
    assert found.limited_by is LimitedBy.CPU
    assert "Limited by CPU: that takes 2.7 cores, and the machine that was measured has 2." in report.render(
        found, "p99<1s"
    )
    for environment in ({"host_cores": 4, "shared_cores": True}, {"host_cores": 2, "shared_cores": None}, {}):
        other = plan(replace(swept(*TWO), environment=environment), 300, 0.99, 1.0)
        assert other.limited_by is not LimitedBy.CPU


def test_a_running_server_counts_as_one_worker_and_the_plan_says_so() -> None:
    """Nobody told how many workers it has."""
    running = [replace(one, place=replace(one.place, workers=None)) for one in ONE]
    text = report.render(plan(swept(*running), 300, 0.99, 0.2), "p99<200ms")
    assert "how many workers the server had that was measured: all of it counts as one worker" in text
    assert "how many workers the server had" not in report.render(
        plan(swept(*ONE), 300, 0.99, 0.2), "p99<200ms"
    )


def test_what_was_not_measured_of_the_server_is_said_in_a_sentence() -> None:
    cells = [
        replace(one, runs=tuple(replace(run, server_cpu=None, server_rss_bytes=None) for run in one.runs))
        for one in ONE
    ]
    text = report.render(plan(swept(*cells), 60, 0.99, 0.2), "p99<200ms")
    assert "CPU and memory of the server were not measured." in text
    assert "That takes" not in text


@pytest.mark.parametrize(
    ("name", "value"), [("server_rss_bytes", 10**400), ("workers", 0), ("workers", 10**30)]
)
def test_a_sweep_with_numbers_that_can_not_be_is_damaged(tmp_path: Path, name: str, value: int) -> None:
    """A sweep from elsewhere: one line with the place, exit 2."""
    form = json.loads(sweep_report.render_json(swept(*TWO)))
    first = form["cells"][0]
    (first if name in first else first["runs"][0])[name] = value
    (tmp_path / "sweep.json").write_text(json.dumps(form))
    done = here(tmp_path, "plan", str(tmp_path), "--for", "60")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert f"{name}: found {str(value)[:20]}" in done.err


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((cell(1, 2, [90]), cell(1, 4, [100])), "no valid cell with one user"),
        ((cell(1, 1, [90], None), cell(1, 4, [100])), "too few calls by one user"),
        ((replace(ONE[0], runs=()), replace(ONE[1], runs=())), "no cell has valid runs"),
        ((ONE[0], replace(ONE[1], place=replace(ONE[1].place, format="csv"))), "varies format"),
    ],
)
def test_a_sweep_that_cannot_tell_is_refused(cells: tuple[SweepCell, ...], message: str) -> None:
    """With what it lacks."""
    with pytest.raises(InputError, match=message):
        plan(swept(*cells), 10, 0.99, 0.2)


def test_a_plan_from_one_and_two_workers_holds_for_four_in_simulation() -> None:
    """Each worker of n has a queue of its own and carries 100 / (1 + (n - 1) / 9) a second.

    The wait alone is compared: the plan adds the 20 ms of a call alone, as the sweep measured it.
    """
    found = plan(swept(*TWO), 200, 0.99, 0.2)
    assert found.workers is not None
    assert found.expected_s is not None
    each = 100 / (1 + (found.workers - 1) / 9)
    random, count = np.random.default_rng(6), 200_000
    gaps = random.exponential(found.workers / 200, count)
    lengths = random.exponential(1 / each, count)
    wait, waits = 0.0, []
    for gap, length in zip(gaps.tolist(), lengths.tolist(), strict=True):
        waits.append(wait := max(wait - gap, 0.0))
        wait += length
    assert 0.02 + float(np.quantile(waits, 0.99)) == pytest.approx(found.expected_s, rel=0.15)
    assert found.expected_s < 0.2


def test_the_command_reads_a_sweep(tmp_path: Path) -> None:
    """Exit 0 with a number, 3 where none is enough, 2 for a limit that it can't plan for."""
    (tmp_path / "sweep.json").write_text(sweep_report.render_json(swept(*TWO)))
    done = here(tmp_path, "plan", str(tmp_path), "--for", "60/s")
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        "1 worker for 60/s at p99<200ms (between 1 and 1): expect 122 ms.",
    )
    assert here(tmp_path, "plan", str(tmp_path), "--for", "60", "--limit", "p99<1ms").code == 3
    for words in (
        ["--for", "x"],
        ["--for", "60", "--limit", "valid>99%"],
        ["--for", "60", "--limit", "p99.9<1s"],
    ):
        done = here(tmp_path, "plan", str(tmp_path), *words)
        assert (done.code, len(done.err.splitlines())) == (2, 1)


def test_python_plans_as_the_command_does(tmp_path: Path) -> None:
    """From the folder or what `sweep` returned, a rate as a number or text: 1 worker for 60/s, as above."""
    made = replace(swept(*TWO), folder=str(tmp_path))
    (tmp_path / "sweep.json").write_text(sweep_report.render_json(made))
    first = scorebench.plan(tmp_path, 60)
    assert first == scorebench.plan(made, "60/s", limit="p99<200ms")
    assert (first.low, first.workers, first.high) == (1, 1, 1)
    with pytest.raises(InputError, match="rate"):
        scorebench.plan(tmp_path, "fast")
    with pytest.raises(InputError, match="without a folder"):
        scorebench.plan(replace(made, folder=""), 60)
