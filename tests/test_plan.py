"""Plans: how many workers, how certain that is, and what cannot be known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scorebench
from scorebench.errors import InputError
from scorebench.plans.lengths import Lengths
from scorebench.plans.measured import Measured, measured
from scorebench.plans.plan import LimitedBy, Plan, plan, response
from scorebench.recordings.form import form_of
from scorebench.report import plan as report
from scorebench.report import sweep as sweep_report
from scorebench.report.data import dumped
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell
from scorebench.sweeps.grid import Place
from tests.commands import here
from tests.queues import Draw, Queue, constant, exponential, md1_within, poisson, turns
from tests.recordings import calls, evenly, recording


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


TEN_MS = Lengths(np.array([0.01]), np.array([1.0]))


def told(sweep: Sweep, q: float = 0.99, alone: Lengths = TEN_MS) -> Measured:
    """What the sweep tells, where every run of one user had calls of these lengths."""
    folders = {run.folder for cell in sweep.cells for run in cell.runs}
    return measured(sweep, dict.fromkeys(folders, alone), q)


def planned(sweep: Sweep, rate_per_s: float, within_s: float) -> Plan:
    """By p99."""
    return plan(told(sweep), rate_per_s, 0.99, within_s)


def md1_p99_s(rate: float, length_s: float) -> float:
    """By Erlang's sum."""
    grid = np.arange(1, 4000) * length_s / 50
    return float(next(at for at in grid if md1_within(rate, 1 / length_s, at) >= 0.99))


def test_how_many_workers_a_rate_takes() -> None:
    """One worker carries 100/s, two 180/s: contention a from 180 = 200 / (1 + a), 0.111.

    60/s within 200 ms: one worker has calls of a constant 10 ms, so p99 is that of M/D/1 at 60 of 100/s: 57
    ms. For 90/s it is 229 ms: two workers, by the queue. For 190/s within 10 s two workers with 180/s are not
    enough at all.
    """
    one = planned(swept(*TWO), 60, 0.2)
    assert one.workers == 1
    assert one.expected is not None
    assert one.expected.s == pytest.approx(md1_p99_s(60, 0.01), rel=0.02)
    assert one.contention == pytest.approx(1 / 9)
    two = planned(swept(*TWO), 90, 0.2)
    assert (two.workers, two.limited_by) == (2, LimitedBy.QUEUE)
    three = planned(swept(*TWO), 190, 10.0)
    assert three.limited_by is LimitedBy.THROUGHPUT
    assert three.workers is not None
    assert three.low is not None
    assert three.high is not None
    assert three.low <= three.workers <= three.high
    assert three.cpu == pytest.approx(190 * 0.9 / 100)


def test_bounds_of_a_response_time() -> None:
    """60/s and one worker, whose runs carried 95 to 105/s.

    Upper: M/M/1's wait at 95/s, ln(0.63 / 0.01) / 35 = 118 ms, and a call of 1 / 95 s. Lower: M/D/1 at 105/s.
    At 98/s the upper queue grows.
    """
    found = response(told(swept(*TWO)), 60, 1, 0.99)
    assert found.high_s == pytest.approx(math.log(60 / 95 / 0.01) / 35 + 1 / 95, rel=0.01)
    assert found.low_s == pytest.approx(md1_p99_s(60, 1 / 105), rel=0.1)
    assert found.low_s < found.s < found.high_s
    assert response(told(swept(*TWO)), 98, 1, 0.99).high_s == math.inf
    text = report.render(planned(swept(*TWO), 98, 2.0), "p99<2s")
    assert "it may be too few" in text


@pytest.mark.parametrize("draw", [constant(100), exponential(100)], ids=["constant", "exponential"])
@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("q", [0.5, 0.99])
def test_servers_of_any_kind_are_within_the_bounds(draw: Draw, is_shared: bool, q: float) -> None:
    """Two workers without contention, 140/s: a queue of their own each, or one for both.

    Lengths from one that is always the same to exponential ones, in simulation.
    """
    values_s = np.sort(draw(np.random.default_rng(2), 20_000))
    alone = Lengths.counted(values_s, np.ones(20_000, np.int64))
    cells = (cell(1, 1, [90, 90]), cell(1, 4, [98, 100, 102]), cell(2, 4, [196, 200, 204]))
    found = response(told(swept(*cells), q, alone), 140, 2, q)
    queue, rate = (Queue(draw, 2), 140) if is_shared else (Queue(draw), 70)
    response_s = queue.open_loop(rate, 4000, np.random.default_rng(3)).response_s
    assert found.low_s <= float(np.quantile(response_s, q)) * 1.01
    assert found.high_s >= float(np.quantile(response_s, q)) * 0.99


@pytest.mark.parametrize("rate", [30.0, 50.0, 70.0])
@pytest.mark.parametrize("q", [0.5, 0.99])
def test_calls_that_take_turns_are_within_the_bounds(rate: float, q: float) -> None:
    """One worker whose threads share it alike, in simulation: longer than in a queue, at any percentile."""
    rng = np.random.default_rng(5)
    due_s = poisson(rate, 2000, rng)
    shown_s = float(np.quantile(turns(due_s, np.full(len(due_s), 0.01)), q))
    found = response(told(swept(*ONE), q), rate, 1, q)
    assert found.low_s <= shown_s <= found.high_s
    assert shown_s > found.s * 0.99


def test_time_that_keeps_no_worker_busy_is_not_waited_for() -> None:
    """A call alone takes 50 ms, and one worker carries 100/s: 40 of them are on the way, at any load.

    So p99 at 60/s is M/D/1's of 10 ms calls, and 40 ms.
    """
    found = response(told(swept(*ONE), alone=TEN_MS.scaled(0.05)), 60, 1, 0.99)
    assert found.s == pytest.approx(0.04 + md1_p99_s(60, 0.01), rel=0.02)


def test_a_call_alone_is_that_of_as_many_workers() -> None:
    """With one worker 10 ms, with two 50 ms: whatever holds answers back there is part of a plan for two."""
    many = cell(2, 1, [20, 20])
    many = replace(many, runs=tuple(replace(run, folder="cells/many") for run in many.runs))
    cells = (*ONE, many, cell(2, 4, [180, 180]))
    found = measured(
        swept(*cells), {"cells/1": TEN_MS, "cells/2": TEN_MS, "cells/many": TEN_MS.scaled(0.05)}, 0.5
    )
    means_s = [found.expected(0.0, workers).alone.mean_s for workers in (1, 2, 3)]
    assert means_s == pytest.approx([0.01, 0.05, 0.05])


def test_a_sweep_from_two_workers_on_plans_for_one_too() -> None:
    """Two carry 180/s and four 300/s: with a = 1 / 7 it is 102.9/s of one, 180 = 2 x 102.9 / (1 + a)."""
    found = told(swept(cell(2, 1, [90]), cell(2, 4, [180]), cell(4, 8, [288])))
    assert found.contention == pytest.approx(1 / 7)
    carried = [workers / found.expected(1e6, workers).busy.mean_s for workers in (1, 2, 4)]
    assert carried == pytest.approx([102.857, 180, 288], rel=0.001)


def test_workers_disturb_each_other_while_they_are_busy() -> None:
    """With contention 1/9, 100/s of one worker. Two at 90/s: b = 10 ms (1 + r / 9), r = 45 b: 10.53 ms.

    At what they carry, 180/s, it is 10 ms (1 + 1 / 9); with nothing to do 10 ms.
    """
    found = told(swept(*TWO))
    busy_s = [found.expected(rate, 2).busy.mean_s for rate in (0.0, 90.0, 180.0, 1e6)]
    assert busy_s == pytest.approx([0.01, 0.01 / (1 - 0.05), 0.01 * 10 / 9, 0.01 * 10 / 9])


def test_from_one_number_of_workers_there_is_no_upper_bound() -> None:
    """How workers share the machine was not measured, and the plan says so."""
    found = planned(swept(*ONE), 300, 0.2)
    assert (found.high, found.contention) == (None, None)
    text = report.render(found, "p99<200ms")
    assert "and no upper bound" in text
    assert "how workers share the machine" in text


def test_a_limit_below_a_call_alone_is_kept_by_no_number() -> None:
    """10 ms alone, 5 ms wanted."""
    found = planned(swept(*TWO), 10, 0.005)
    assert (found.workers, found.expected) == (None, None)
    assert report.render(found, "p99<5ms").startswith(
        "No number of workers keeps 10/s at p99<5ms: a call alone"
    )


def test_a_rate_that_no_number_carries_is_not_put_on_a_call_alone() -> None:
    """With contention 1/9, workers together never carry more than 900/s; a call alone is within the limit."""
    found = planned(swept(*TWO), 1000, 0.2)
    assert report.render(found, "p99<200ms").startswith(
        "No number of workers keeps 1,000/s at p99<200ms: 1,000 workers would be too few."
    )


def test_a_machine_with_too_few_cores_limits() -> None:
    """300/s take 300 x 0.9 / 100 = 2.7 cores. Two cores are too few, four do, and elsewhere nobody knows."""
    here_2 = replace(swept(*TWO), environment={"host_cores": 2, "shared_cores": True})
    found = planned(here_2, 300, 1.0)
    assert found.limited_by is LimitedBy.CPU
    assert "Limited by CPU: that takes 2.7 cores, and the machine that was measured has 2." in report.render(
        found, "p99<1s"
    )
    for environment in ({"host_cores": 4, "shared_cores": True}, {"host_cores": 2, "shared_cores": None}, {}):
        other = planned(replace(swept(*TWO), environment=environment), 300, 1.0)
        assert other.limited_by is not LimitedBy.CPU


def test_a_running_server_counts_as_one_worker_and_the_plan_says_so() -> None:
    """Nobody told how many workers it has."""
    running = [replace(one, place=replace(one.place, workers=None)) for one in ONE]
    text = report.render(planned(swept(*running), 300, 0.2), "p99<200ms")
    assert "how many workers the server had that was measured: all of it counts as one worker" in text
    assert "how many workers the server had" not in report.render(planned(swept(*ONE), 300, 0.2), "p99<200ms")


def test_what_was_not_measured_of_the_server_is_said_in_a_sentence() -> None:
    cells = [
        replace(one, runs=tuple(replace(run, server_cpu=None, server_rss_bytes=None) for run in one.runs))
        for one in ONE
    ]
    text = report.render(planned(swept(*cells), 60, 0.2), "p99<200ms")
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
        (
            (cell(1, 1, [90], None), cell(1, 4, [100])),
            "the most is 900, and it takes 662",
        ),
        ((cell(1, 1, [1e308]), cell(1, 4, [100])), "a run carried 1e.308/s"),
        ((cell(1, 1, [1e-300]), cell(1, 4, [100])), "a run carried 1e-300/s"),
        ((replace(ONE[0], runs=()), replace(ONE[1], runs=())), "no cell has valid runs"),
        ((ONE[0], replace(ONE[1], place=replace(ONE[1].place, format="csv"))), "varies format"),
    ],
)
def test_a_sweep_that_cannot_tell_is_refused(cells: tuple[SweepCell, ...], message: str) -> None:
    """With what it lacks."""
    with pytest.raises(InputError, match=message):
        planned(swept(*cells), 10, 0.2)


def test_a_plan_from_one_and_two_workers_holds_for_more_in_simulation() -> None:
    """Each worker of n has a queue of its own, and calls of 10 ms that n - 1 others make longer by a ninth.

    They do while they are busy, so a call takes 10 ms / (1 - (n - 1) / 9 300 / n 10 ms).
    """
    found = planned(swept(*TWO), 300, 0.1)
    assert found.workers is not None
    assert found.workers > 3
    assert found.expected is not None
    length_s = 0.01 / (1 - (found.workers - 1) / 9 * 3 / found.workers)
    response_s = (
        Queue(constant(1 / length_s))
        .open_loop(300 / found.workers, 10_000, np.random.default_rng(6))
        .response_s
    )
    assert float(np.quantile(response_s, 0.99)) == pytest.approx(found.expected.s, rel=0.04)
    assert found.expected.s < 0.1


def left(folder: Path, sweep: Sweep) -> None:
    """The folder of a sweep as `scorebench sweep` leaves it; its runs had 900 calls of 10 ms."""
    (folder / "sweep.json").write_text(sweep_report.render_json(sweep))
    for run in {run.folder for cell in sweep.cells for run in cell.runs}:
        (folder / run).mkdir(parents=True, exist_ok=True)
        made = recording(calls(evenly(900, 90.0)))
        (folder / run / "recording.json").write_text(dumped(form_of(made)))


def test_the_command_reads_a_sweep(tmp_path: Path) -> None:
    """Exit 0 with a number, 3 where none is enough, 2 for a limit that it can't plan for."""
    left(tmp_path, swept(*TWO))
    done = here(tmp_path, "plan", str(tmp_path), "--for", "60/s")
    assert (done.code, done.out.splitlines()[:2]) == (
        0,
        [
            "1 worker for 60/s at p99<200ms (between 1 and 1).",
            "Expect 55.3 ms (between 49.3 ms and 129 ms).",
        ],
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
    left(tmp_path, made)
    first = scorebench.plan(tmp_path, 60)
    assert first == scorebench.plan(made, "60/s", limit="p99<200ms")
    assert (first.low, first.workers, first.high) == (1, 1, 1)
    with pytest.raises(InputError, match="rate"):
        scorebench.plan(tmp_path, "fast")
    with pytest.raises(InputError, match="without a folder"):
        scorebench.plan(replace(made, folder=""), 60)
