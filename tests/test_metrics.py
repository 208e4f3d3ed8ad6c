"""The table of metrics: what each record says, and that a metric is added in one place."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from bench import option_tables

from scorebench.cli import main
from scorebench.errors import InputError
from scorebench.figures import metrics
from scorebench.figures.metric import SECONDS, Metric, Single
from scorebench.figures.metrics import UnknownMetric, every, find
from scorebench.figures.recent import Recent
from scorebench.figures.summary import summarise
from scorebench.folders import folder
from scorebench.recordings.recording import Recording
from scorebench.report import repeats
from scorebench.runs import tracking
from scorebench.verdicts.limits import parse_limit, parse_stop_when
from scorebench.verdicts.verdict import judge
from tests.commands import locust
from tests.recordings import calls, evenly, recording
from tests.schemas import validator
from tests.scoring_server import Behaviour, Constant, scoring_server

NEAR = 1e-3
"""Unix times are floats: a microsecond of 5 ms is lost in them."""
OURS = """
from scorebench.figures.metric import SECONDS, Metric, Single
from scorebench.figures.metrics import TABLE

def spread(figures):
    times = figures.response
    return None if times.max_s is None else times.max_s - times.min_s

TABLE.append(Single(Metric("spread", SECONDS, 0.0, "5ms", "the slowest call less the fastest", spread,
                           of_last_seconds=spread, is_compared=True, is_repeated=True)))
"""
"""A locustfile's own metric; the fixture adds the same to this process."""


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> Metric:
    """The metric of OURS, in the table for one test."""
    monkeypatch.setattr(metrics, "TABLE", [*metrics.TABLE])
    exec(OURS, {})
    return find("spread")


def ten_to(slowest_ms: int) -> Recording:
    """800 calls of 10 ms, but the last: its spread is `slowest_ms` - 10 ms."""
    return recording(calls(evenly(800, service_s=[0.01] * 799 + [slowest_ms / 1e3])))


def written(path: Path, of: Recording) -> Path:
    summary = summarise(of)
    path.mkdir()
    folder.write(path, of, summary, judge(summary, of))
    return path


def test_a_metric_of_ones_own_is_a_limit_and_in_every_report(
    spread: Metric, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One record is enough: `scorebench report` judges a spread of 5 ms by it, and CSV and JSON hold it."""
    path = written(tmp_path / "run", ten_to(15))
    assert main(["report", str(path), "--limit", "spread<4ms"]) == 0
    assert "MISSED     spread<4ms: spread is 5 ms, beyond spread<4ms" in capsys.readouterr().out
    main(["report", str(path), "--format", "csv"])
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert float(rows["spread"]["value"]) == pytest.approx(0.005, rel=NEAR)
    assert rows["spread"]["unit"] == "s"
    main(["report", str(path), "--format", "json"])
    data = json.loads(capsys.readouterr().out)
    validator("summary").validate(data)
    assert data["metrics"]["spread"]["value"] == pytest.approx(0.005, rel=NEAR)
    for name in ("html", "junit", "github", "markdown"):
        main(["report", str(path), "--format", name, "--limit", "spread<4ms"])
        assert "spread" in capsys.readouterr().out


def test_a_metric_of_ones_own_is_compared(
    spread: Metric, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four runs of 5 ms against four of 10 ms: worse, and --fail-if says so with exit 3."""
    sets = []
    for name, slowest_ms in (("before", 15), ("after", 20)):
        (tmp_path / name).mkdir()
        paths = [written(tmp_path / name / str(n), ten_to(slowest_ms)) for n in range(4)]
        sets.append(f"{name}={','.join(map(str, paths))}")
    assert main(["compare", *sets, "--fail-if", "spread +10% and +2ms"]) == 3
    said = capsys.readouterr().out
    failed = "FAILED: --fail-if 'spread +10% and +2ms': spread went from 5 ms to 10 ms (+100.0 %, between "
    assert failed in said


def test_a_metric_of_ones_own_is_in_repeats_mlflow_and_docs(spread: Metric) -> None:
    """A column of --repeat, a metric of MLflow's, a row of docs/options.md."""
    made = ten_to(15)
    summary = summarise(made)
    verdict = judge(summary, made)
    assert "spread" in repeats.render([summary], [verdict]).splitlines()[0]
    logged = {name: value for name, value, _ in tracking.metrics(summary, verdict)}
    assert logged["spread"] == pytest.approx(0.005, rel=NEAR)
    assert "| `spread` | us, µs, ms, s | the slowest call less the fastest |" in option_tables.metrics_table()


def test_a_metric_of_ones_own_can_end_a_run(spread: Metric) -> None:
    """Of the last four seconds: the window has calls of 10 to 15 ms, its spread is 5 ms."""
    recent, made = Recent(4.0), recording(calls(evenly(10)))
    recent.see(0.0, made)
    made.add(calls([(d + 9, s + 9, e + 9) for d, s, e in evenly(2, service_s=[0.01, 0.015])]))
    recent.see(4.0, made)
    assert recent.figure(parse_stop_when("spread>1ms for 2s").metric) == pytest.approx(0.005, rel=NEAR)


def test_a_metric_without_last_seconds_ends_no_run(spread: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would never fire, so it is refused before the run."""
    without = Single(replace(spread, of_last_seconds=None))
    monkeypatch.setattr(metrics, "TABLE", [without, *metrics.TABLE])
    with pytest.raises(InputError, match="--stop-when spread>1ms for 2s: spread has no figure"):
        parse_stop_when("spread>1ms for 2s")


def test_each_metric_of_ours_can_end_a_run() -> None:
    assert all(metric.of_last_seconds for metric in every())


def test_locust_knows_the_metric_of_a_locustfile(tmp_path: Path) -> None:
    """From the command line to the report: a limit that can't be kept is missed, exit 3."""
    locustfile = tmp_path / "own.py"
    locustfile.write_text(OURS + "from scorebench.locustfile import *\n")
    with scoring_server(Behaviour(service=Constant(0.005))) as server:
        words = ["-H", server.url, "-u", "2", "-r", "2", "--calls", "100", "--limit", "spread<1us"]
        done = locust(tmp_path, *words, "--stop-when", "spread>3600s for 1m", locustfile=locustfile)
    assert done.code == 3, done.err
    assert "spread is" in done.out


def test_every_listed_metric_can_be_asked_for_by_its_names() -> None:
    """The name in limits and the name in CSV find the same record, except where a unit stands in it."""
    for metric in every():
        assert find(metric.name).name == metric.name
        assert (
            metric.column in (f"{metric.name}_share", metric.name) or find(metric.column).name == metric.name
        )
        assert parse_limit(f"{metric.name}{metric.good}{metric.example}").of.name == metric.name


def test_no_two_metrics_share_a_name() -> None:
    """In limits, in CSV and in MLflow."""
    for names in ([m.name for m in every()], [m.column for m in every()], [m.key for m in every()]):
        assert len(set(names)) == len(names)


def test_what_is_not_in_the_table_is_refused_with_what_is() -> None:
    """The message lists the words of every record, in the table's order."""
    words = "; ".join(entry.words for entry in metrics.TABLE)
    assert words.startswith("throughput; rows; valid; ")
    with pytest.raises(UnknownMetric, match=re.escape(f"Known are {words}")):
        find("latency")


@pytest.mark.parametrize(
    ("metric", "bound", "value", "margin"),
    [
        ("p99", 0.1, 0.05, 1.0),  # 0.1 / 0.05 - 1
        ("p99", 0.1, 0.2, -0.5),
        ("p99", 0.1, 0.0, math.inf),
        ("valid", 0.99, 0.995, 1.0),  # 1 % may fail and 0.5 % did
        ("valid", 0.99, 0.98, -0.5),
        ("throughput", 100.0, 50.0, -0.5),
        ("rows", 100.0, 150.0, 0.5),
    ],
)
def test_the_margin_is_the_quotient_of_distances_from_the_best(
    metric: str, bound: float, value: float, margin: float
) -> None:
    """0 at the limit, negative beyond; of a rate, which has no best value, the quotient itself."""
    assert find(metric).margin(bound, value) == pytest.approx(margin)


@pytest.mark.parametrize(("text", "bound"), [("min<5ms", 0.005), ("response_p99<50ms", 0.05)])
def test_names_of_the_exports_are_limits_too(text: str, bound: float) -> None:
    """`response_p99`, as summary.csv has it, is p99."""
    limit = parse_limit(text)
    assert (limit.metric, limit.bound) == (text.partition("<")[0].removeprefix("response_"), bound)


def test_a_unit_says_which_figures_are_times() -> None:
    """Capacity takes as response times the bounds of times alone."""
    assert {m.name for m in every() if m.is_time} == {m.name for m in every() if m.unit is SECONDS}
    assert not find("valid").is_time
    assert isinstance(metrics.TABLE[0], Single)
