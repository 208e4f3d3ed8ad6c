"""Sweeps without a server: their cells, the laws through them, and what is shown and refused."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scorebench.commands.sweep import exit_code
from scorebench.figures.server_use import mean_cpu, most_rss_bytes, server_samples
from scorebench.report import sweep as report
from scorebench.report import sweep_page
from scorebench.report.sweep import alike
from scorebench.report.sweep_charts import sweep_charts
from scorebench.sweeps.curves import curves
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell
from scorebench.sweeps.grid import Place, blocks, cells
from scorebench.sweeps.scaling import costs, fit, knee
from tests.commands import here
from tests.recordings import START_S, calls, recording
from tests.schemas import validator

USERS = (1, 2, 4, 8, 16)
MANY = ",".join(str(number) for number in range(1, 1001))


def law(users: float, one: float = 100.0, contention: float = 0.05, coherency: float = 0.002) -> float:
    """The Universal Scalability Law as Gunther writes it."""
    return one * users / (1 + contention * (users - 1) + coherency * users * (users - 1))


def ran(users: int, rows: int = 1, **changed: object) -> Ran:
    """A run of a server that follows the law, and takes 5 ms a call and 1 ms a row."""
    rate, time_s = law(users), 0.005 + 0.001 * rows
    made = Ran("cells/001-1", 1, None, 1000, 1000, rate, rate * rows, users / rate, time_s, 0.05, 100 * rows)
    return replace(made, **changed)  # type: ignore[arg-type]


def swept(rows: tuple[int, ...] = (1, 10, 100), **changed: object) -> Sweep:
    """Every number of users with every number of rows, each once."""
    places = cells(
        {
            "server": ["webserver"],
            "flavor": ["sklearn"],
            "workers": [1],
            "format": ["split"],
            "rows_per_call": rows,
            "users": USERS,
        }
    )
    found = tuple(SweepCell(one, (ran(one.users, one.rows_per_call),)) for one in places)
    made = Sweep(found, Ended.DONE, 1, 90.0, "reports/x", {"url": "http://127.0.0.1:5001"})
    return replace(made, **changed)  # type: ignore[arg-type]


def test_cells_are_every_combination_once() -> None:
    """2 servers, 1 model, 2 workers, 1 format, 3 rows (one twice), 2 users: 2 x 2 x 2 x 2 = 16."""
    found = cells(
        {
            "server": ["webserver", "docker"],
            "flavor": ["sklearn"],
            "workers": [1, 2],
            "format": ["split"],
            "rows_per_call": [1, 10, 1],
            "users": [1, 2],
        }
    )
    assert len(found) == len(set(found)) == 16


def test_blocks_measure_each_cell_once_a_repeat_at_random() -> None:
    """A block has one server alone; another seed has another order, the same seed the same."""
    places = [Place("webserver", None, workers, "split", 1, users) for workers in (1, 2) for users in USERS]
    order = list(blocks(places, 3, seed=1))
    assert all(len({place.server_key for place, _ in block}) == 1 for block in order)
    measured = [one for block in order for one in block]
    assert sorted(measured, key=str) == sorted([(place, n) for place in places for n in (1, 2, 3)], key=str)
    assert order == list(blocks(places, 3, seed=1)) != list(blocks(places, 3, seed=2))
    assert [place for place, _ in measured[:10]] != places, (
        "in the order of the values, a drift looks like one"
    )


def test_the_law_is_found_again_from_points_without_noise() -> None:
    """The three numbers that the points were made from, and the peak sqrt((1 - 0.05) / 0.002) = 21.8."""
    found = fit([(users, law(users)) for users in USERS])
    assert found is not None
    assert found.peak is not None
    got = [found.per_one.value, found.contention.value, found.coherency.value, found.peak.value]
    assert got == pytest.approx([100, 0.05, 0.002, math.sqrt(0.95 / 0.002)], rel=1e-6)
    assert found.at(12).value == pytest.approx(law(12))


def test_the_bounds_hold_as_often_as_they_say() -> None:
    """1,000 sweeps with 3 % noise: each bound of 95 % holds the true value in 92 % to 98 %."""
    random, held = np.random.default_rng(3), np.zeros(4)
    for _ in range(1000):
        loads = [*USERS, 32] * 2
        found = fit([(users, law(users) * (1 + 0.03 * random.standard_normal())) for users in loads])
        assert found is not None
        pairs = [
            (found.per_one, 100),
            (found.contention, 0.05),
            (found.coherency, 0.002),
            (found.at(12), law(12)),
        ]
        held += [bounded.low <= true <= bounded.high for bounded, true in pairs]
    assert (held > 920).all(), held
    assert (held < 980).all(), held


def test_a_server_that_scales_without_end_has_no_peak() -> None:
    """Throughput in proportion to users, with noise: no peak is claimed in more than 5 % of 500 sweeps."""
    random = np.random.default_rng(4)
    found = [
        fit([(n, 100 * n * (1 + 0.02 * random.standard_normal())) for n in USERS * 2]) for _ in range(500)
    ]
    assert sum(one is not None and one.peak is not None for one in found) <= 25


@pytest.mark.parametrize("points", [[], [(1, 1.0)] * 9, [(1, 1.0), (2, 2.0), (4, 3.0), (8, 4.0)]])
def test_too_few_points_have_no_law(points: list[tuple[float, float]]) -> None:
    """Below 4 loads, or without a point to spare."""
    assert fit(points) is None


def test_a_server_that_stalls_at_one_number_of_users_has_a_report_and_no_law() -> None:
    """Many times faster with 4 users than with one, and 5/s at 16 and 32.

    N/X is 1/60 s for one user and 6.4 s for 32: of all laws the nearest has 0 s for one user, an infinite g.
    """
    rates = {1: 60.0, 4: 800.0, 8: 800.0, 16: 5.0, 32: 5.0}
    assert fit(list(rates.items())) is None
    cells_ = [
        SweepCell(Place("webserver", "sklearn", 1, "split", 1, users), (ran(users, throughput_per_s=rate),))
        for users, rate in rates.items()
    ]
    stalled = swept(cells=tuple(cells_))
    assert json.loads(report.render_json(stalled))["scaling"] == []
    assert "Users (all): no scaling law fits." in report.render(stalled)
    assert "too few" not in report.render(stalled)
    assert "No scaling law fits." in sweep_page.render(stalled)


def test_costs_are_the_line_through_the_times() -> None:
    """5 ms a call and 1 ms a row."""
    found = costs([(rows, 0.005 + 0.001 * rows) for rows in (1, 10, 100, 1000)])
    assert found is not None
    assert (found.per_call_s.value, found.per_row_s.value) == pytest.approx((0.005, 0.001))
    assert costs([(1, 0.1), (10, 0.2), (10, 0.3)]) is None


def test_the_knee_has_the_most_power() -> None:
    """Throughput by time: 100/10 ms, 180/11 ms, 190/21 ms: the second."""
    assert knee([(1, 100, 0.010), (2, 180, 0.011), (4, 190, 0.021)]) == 2
    assert knee([(1, 100, 0.010), (2, 180, 0.011)]) is None


def test_the_most_users_that_were_measured_are_no_knee() -> None:
    """Throughput doubles with them up to the last: the knee lies beyond, if there is one."""
    assert knee([(1, 178, 0.0039), (2, 393, 0.0038), (4, 761, 0.0039)]) is None


def test_runs_that_failed_or_are_not_valid_count_for_nothing() -> None:
    """Of three runs one counts: its figure is the cell's."""
    bad = [ran(1, throughput_per_s=1.0, error="1 of 1000 calls: timeout", valid=999), ran(1, invalid="late")]
    cell = SweepCell(Place("webserver", None, 1, "split", 1, 1), (*bad, ran(1)))
    assert cell.middle(lambda run: run.throughput_per_s) == 100
    assert replace(cell, runs=tuple(bad)).problem == "late"
    assert replace(cell, runs=()).problem == "not reached"
    assert replace(cell, runs=(ran(1, calls=0, valid=0),)).problem == "no call was measured"


def test_the_text_says_what_the_cells_say_together() -> None:
    """Law, cost, the largest body; the table has a line a cell, and columns for what was varied."""
    lines = report.render(swept()).splitlines()
    assert lines[0].split()[:2] == ["rows", "users"]
    said = " ".join(lines)
    assert "15 cells of 15 measured in 90 s: every cell was tried." in said
    assert "Users (100 rows): one user gets 100/s (100/s to 100/s), contention 0.05" in said
    assert "throughput peaks at 21.8 (21.8 to 21.8) users" in said
    assert "Rows (4 users): a call takes 5 ms (5 ms to 5 ms), and each row 1 ms (1 ms to 1 ms) more." in said
    assert "Largest body that was answered: 10,000 bytes" in said


def test_a_sweep_that_ended_early_says_how_to_go_on() -> None:
    """And the cells that were not reached stay in every file."""
    made = swept(ended=Ended.BUDGET)
    half = replace(made, cells=(*made.cells[:7], *(replace(cell, runs=()) for cell in made.cells[7:])))
    said = report.render(half)
    assert (
        "7 cells of 15 measured in 90 s: the time budget was used up. The same command with --resume" in said
    )
    assert said.count("not reached") == 8
    assert len(list(csv.DictReader(io.StringIO(report.render_csv(half))))) == 15


def test_the_json_is_by_its_schema_and_holds_every_run() -> None:
    """What is not measured is null."""
    made = swept()
    parsed = json.loads(report.render_json(made))
    validator("sweep").validate(parsed)
    assert (len(parsed["cells"]), len(parsed["scaling"]), len(parsed["costs"])) == (15, 3, 5)
    assert parsed["cells"][0]["runs"][0]["server_cpu"] is None


def test_the_page_has_a_chart_for_everything_that_was_varied() -> None:
    """Times, rows a second and cost by rows; p99 and the law by users. Workers were not varied."""
    page = sweep_page.render(swept())
    for title in ("Median response time by rows a call", "Response time a row", "p99 by users"):
        assert f"<h3>{title}</h3>" in page
    assert "Valid answers by users (10 rows)" in page
    assert "by workers" not in page


def many() -> Sweep:
    """As `swept`, in four formats with 1 and 2 workers: 40 curves by rows, and more than ten sentences."""
    places = [
        replace(cell.place, format=name, workers=workers)
        for cell in swept().cells
        for name in ("split", "records", "csv", "parquet")
        for workers in (1, 2)
    ]
    return replace(
        swept(), cells=tuple(SweepCell(one, (ran(one.users, one.rows_per_call),)) for one in places)
    )


@pytest.mark.parametrize(
    "title", ["Median response time by rows a call", "Response time a row", "Median response time by size"]
)
def test_every_curve_is_in_a_chart(title: str) -> None:
    """40 curves do not fit one chart; each stands in the table of one of them."""
    tables = [str(chart) for chart in sweep_charts(many()) if chart.title.startswith(title)]
    curves_by_rows = curves(many(), "rows_per_call")
    assert len(curves_by_rows) == 40
    for curve in curves_by_rows:
        assert sum(repr(curve.name) in one for one in tables) == 1, curve.name


def test_many_sentences_are_folded() -> None:
    """The first is in sight, and the charts come next; few sentences are all in sight."""
    assert "<details><summary>" in sweep_page.render(many()).partition("<h2>Charts</h2>")[0]
    few = replace(swept(), cells=tuple(cell for cell in swept().cells if cell.place.rows_per_call == 1))
    assert "<details>" not in sweep_page.render(few).partition("<h2>Charts</h2>")[0]


def test_what_two_runs_differ_by_stands_beside_their_median() -> None:
    """100/s and 110/s: 10 of 105 are 10 %; 1.8 times as much, at least 180/110, at most 210/100."""
    places = [Place("webserver", "sklearn", workers, "split", 1, 4) for workers in (1, 2)]
    pairs = [(100.0, 110.0), (180.0, 210.0)]
    cells = [
        SweepCell(place, tuple(ran(4, throughput_per_s=rate) for rate in pair))
        for place, pair in zip(places, pairs, strict=True)
    ]
    text = report.render(Sweep(tuple(cells), Ended.DONE, 2, 1.0))
    assert "2 of 2, 10 % apart" in text
    assert "2 carry 1.86 times the throughput of 1 (1.64 to 2.1 between single runs); the ideal is 2." in text


def test_what_all_curves_lack_is_said_once() -> None:
    """2 workers x 2 loads: no scaling law for either number of workers, in one sentence."""
    places = [Place("webserver", None, workers, "split", 1, users) for workers in (1, 2) for users in (1, 4)]
    text = report.render(Sweep(tuple(SweepCell(one, (ran(1),)) for one in places), Ended.DONE, 1, 1.0))
    assert text.count("too few loads") == 1
    assert "Users: too few loads for a scaling law (needs 4 and 5 runs)." in text


def test_workers_are_held_against_the_ideal_line() -> None:
    """2 workers with 1.5 times the throughput of 1."""
    places = [Place("webserver", "sklearn", workers, "split", 1, 4) for workers in (1, 2)]
    runs = [ran(4, throughput_per_s=rate) for rate in (100.0, 150.0)]
    made = Sweep(tuple(SweepCell(p, (r,)) for p, r in zip(places, runs, strict=True)), Ended.DONE, 1, 1.0)
    assert "Workers (all): 2 carry 1.5 times the throughput of 1; the ideal is 2." in report.render(made)
    assert "Valid answers by workers" in sweep_page.render(made)
    assert [curve.along for curve in curves(made, "workers")] == ["workers"]


def test_exit_codes() -> None:
    """0 with figures, 1 without any answer, 4 where no run is valid, 130 where it was stopped."""
    made = swept()
    late = replace(made, cells=(replace(made.cells[0], runs=(ran(1, invalid="late"),)),))
    dead = replace(made, cells=(replace(made.cells[0], runs=(ran(1, error="x", valid=0),)),))
    stopped = replace(made, ended=Ended.STOPPED)
    assert [exit_code(one) for one in (made, dead, late, stopped)] == [0, 1, 4, 130]
    assert exit_code(made, is_lost=True) == 1


def test_an_idle_server_before_the_load_is_no_part_of_its_use() -> None:
    """Calls from second 2 to 4 with 0.8 cores; before, while users start, and after it idles."""
    made = recording(calls([(2.0, 2.0, 2.1), (4.9, 4.9, 5.0)]), load_ended_s=START_S + 5)
    for second, cpu in ((0, 0.0), (1, 0.0), (2, 0.0), (3, 0.8), (4, 0.7), (5, 0.9), (6, 0.0)):
        made.resources.append(
            {"t_s": START_S + second, "who": "server", "cpu": cpu, "rss_bytes": 10 + second}
        )
    found = server_samples(made)
    assert mean_cpu(found) == pytest.approx(0.8)
    assert most_rss_bytes(found) == 15


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["webserver", "--users", "1,x"], "--users 1,x: expected a comma-separated list of whole numbers"),
        (["webserver", "--rows-per-call", "0"], "--rows-per-call 0: expected"),
        (["webserver", "--workers", ","], "--workers ,: expected"),
        (["webserver", "--format", "xml"], "--format xml: expected a comma-separated list of split"),
        (["webserver", "--flavors", "nothing"], "--flavors nothing: expected"),
        (["webserver", "--budget", "5s"], "--budget 5s: shorter than one run of 10s"),
        (
            ["webserver", "--budget", "14s"],
            "--budget 14s: shorter than one run of 10s, which takes up to 5 s",
        ),
        (["webserver", "--users", MANY, "--rows-per-call", MANY, "--workers", MANY], "1,000,000,000 cells"),
        (["webserver", "--repeats", "0"], "--repeats 0: expected at least 1"),
        (
            ["http://127.0.0.1:9", "--workers", "1,2"],
            "--workers 1,2: belongs to a server that scorebench starts",
        ),
        (["http://127.0.0.1:9", "--body", "x.json", "--format", "csv"], "--body: sends bodies as they are"),
        (["webserver", "--resume", "nowhere"], "--resume nowhere: found no plan.json of a sweep"),
        (["nosuch"], "nosuch: no such server"),
    ],
)
def test_wrong_input_starts_nothing(tmp_path: Path, words: list[str], said: str) -> None:
    """One line, exit 2, no folder."""
    done = here(tmp_path, "sweep", *words)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err
    assert not done.reports.exists()


def test_another_sweep_is_not_resumed(tmp_path: Path) -> None:
    """Its figures would stand in the wrong cells: exit 2, and the command that it was started with."""
    (tmp_path / "plan.json").write_text('{"cells": [], "run_s": 10, "command": "scorebench sweep x"}')
    done = here(tmp_path, "sweep", "webserver", "--resume", str(tmp_path))
    assert done.code == 2
    assert "was another sweep" in done.err
    assert "scorebench sweep x" in done.err


def test_the_setup_of_a_sweep_is_the_sweeps_and_not_that_of_its_first_run() -> None:
    """Users were varied, and the moments at which the first run ended are not those of the sweep."""
    first = {"users": 2, "started_s": 1_700_000_000.0, "stopped_s": 1_700_000_002.0, "run_time_s": 2.0}
    of = swept(environment={**first, "load_ended_s": 1_700_000_002.0})
    assert alike(of) == {"started_s": 1_700_000_000.0, "run_time_s": 2.0}
    one = [cell for cell in of.cells if cell.place.users == USERS[0]]
    assert alike(replace(of, cells=tuple(one)))["users"] == 2
