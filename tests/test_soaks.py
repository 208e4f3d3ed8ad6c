"""Soaks: what rises is found, what does not is not accused, and everything has its place in time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import scorebench
from scorebench.answers.outcome import Outcome
from scorebench.errors import InputError
from scorebench.folders.names import SOAK_PLAN
from scorebench.folders.soaks import part_folder, read_soak
from scorebench.recordings.form import form_of
from scorebench.recordings.happenings import SERVER_RESTARTED
from scorebench.recordings.recording import Recording
from scorebench.report import soak as report
from scorebench.report import soak_page
from scorebench.report.data import dumped
from scorebench.runs import launch
from scorebench.runs.launch import Launch
from scorebench.runs.soak import exit_code
from scorebench.soaks.found import Ended, Kind, Part, Soak, Stretch
from scorebench.soaks.parts import MOST_STRETCHES, stretch_s, stretches_of
from tests.recordings import START_S, calls, evenly, recording
from tests.schemas import validator

MB = 1e6
TWENTY_MINUTES_S = 1200


def part(name: str = "parts/001", **told: object) -> Part:
    known = {
        "at_s": 0.0, "load_s": 60.0, "asked_s": 60.0, "calls": 600, "valid": 600, "exit_code": 0,
        "invalid": None, "missed": (), "was_killed": False,
    }  # fmt: skip
    return Part(folder=name, **(known | told))  # type: ignore[arg-type]


def soak(
    memory: Sequence[float] = (), p50_s: Sequence[float] = (), *, each_s: float = 3.0, **told: object
) -> Soak:
    """One part whose stretches have these values."""
    count = max(len(memory), len(p50_s))
    stretches = tuple(
        Stretch(
            at_s=n * each_s,
            length_s=each_s,
            due=150,
            valid=150,
            bad=0,
            p50_s=p50_s[n] if len(p50_s) else None,
            p99_s=None,
            max_s=None,
            server_rss_bytes=memory[n] if len(memory) else None,
            server_cpu=None,
        )
        for n in range(count)
    )
    known = {"asked_s": 60.0, "part_s": 60.0, "parts": (part(),), "happenings": (), "command": "scorebench"}
    return Soak(stretches=stretches, **(known | told))  # type: ignore[arg-type]


def medians(random: np.random.Generator, start: float, spread: float, rise_a_second: float) -> np.ndarray:
    """Of each 3 seconds of twenty minutes, of a value that hangs together: it keeps 0.9 of its distance."""
    at = np.arange(TWENTY_MINUTES_S)
    noise = np.empty(TWENTY_MINUTES_S)
    last = 0.0
    for second, step in enumerate(random.standard_normal(TWENTY_MINUTES_S) * spread):
        last = noise[second] = 0.9 * last + step
    values = start + noise + rise_a_second * at
    found: np.ndarray = np.median(values.reshape(-1, stretch_s(TWENTY_MINUTES_S)), axis=1)
    return found


def test_a_leak_of_1_mb_a_minute_is_found_within_twenty_minutes() -> None:
    """In each of 40 soaks of a server of 400 MB, and the slope's bounds hold 60 MB an hour in most."""
    random = np.random.default_rng(11)
    held = 0
    for _ in range(40):
        found = soak(medians(random, 400 * MB, 0.5 * MB, MB / 60).tolist())
        assert found.rises() == ("memory",)
        trend = found.trends["memory"]
        assert trend is not None
        held += trend.low_per_s <= MB / 60 <= trend.high_per_s
    assert held >= 34, held


def test_a_server_that_does_not_leak_is_not_accused() -> None:
    """Of 1,000 soaks of twenty minutes at most 5 % may be, for memory and latency together."""
    random = np.random.default_rng(12)
    accused = sum(
        bool(
            soak(
                medians(random, 400 * MB, 0.5 * MB, 0).tolist(), medians(random, 0.02, 1e-4, 0).tolist()
            ).rises()
        )
        for _ in range(1000)
    )
    assert accused <= 50, accused


def test_a_latency_that_creeps_up_is_found() -> None:
    """From 20 ms by 3 ms in twenty minutes."""
    random = np.random.default_rng(13)
    found = soak(p50_s=medians(random, 0.02, 1e-4, 0.003 / TWENTY_MINUTES_S).tolist())
    assert found.rises() == ("p50",)
    assert any(line.startswith("Median response time: RISES: +") for line in report.sentences(found))


def test_a_rise_too_small_to_matter_is_none() -> None:
    """200 kB in twenty minutes of a value without noise: certain, and nothing to act on."""
    found = soak([400 * MB + n * 500 for n in range(400)])
    trend = found.trends["memory"]
    assert trend is not None
    assert trend.rises(0.01)
    assert found.rises() == ()


def test_few_stretches_have_no_trend() -> None:
    found = soak([400 * MB] * 20)
    assert found.trends["memory"] is None
    assert any("too few stretches" in line for line in report.sentences(found))


def test_no_soak_has_more_stretches_than_a_page_can_draw() -> None:
    """A second each where that is enough; eight hours by the minute."""
    assert [stretch_s(length) for length in (10, 480, 481, 8 * 3600)] == [1, 1, 2, 60]
    assert all(length / stretch_s(length) <= MOST_STRETCHES for length in range(1, 700_000, 997))


def test_stretches_hold_every_call_once() -> None:
    """95 valid calls and 5 refused in ten seconds, by three seconds: 30, 30, 30, 10."""
    outcomes = [Outcome.CONNECTION_REFUSED if n % 20 == 7 else Outcome.VALID for n in range(100)]
    made = recording(calls(evenly(100, 10.0, 0.02), outcome=outcomes))
    found = list(stretches_of(made, int(START_S), 3))
    assert [one.due for one in found] == [30, 30, 30, 10]
    assert sum(one.valid for one in found) == 95
    assert sum(one.bad for one in found) == 5
    assert [one.at_s for one in found] == [0, 3, 6, 9]
    assert all(one.p50_s == pytest.approx(0.02, rel=0.05) for one in found[:3])
    assert all(one.server_rss_bytes is None for one in found)


def written(path: Path, number: int, made: Recording) -> None:
    one = part_folder(path, number)
    one.mkdir(parents=True)
    (one / "recording.json").write_text(dumped(form_of(made)))


@pytest.fixture
def two_parts(tmp_path: Path) -> Path:
    """10 s at 10/s, a pause of 5 s, 10 s with an outage of 4 s from its third second on, then a restart."""
    (tmp_path / SOAK_PLAN).write_text(json.dumps({"run_time_s": 20.0, "part_s": 10.0, "command": "again"}))
    first = recording(calls(evenly(100, 10.0, 0.02)), run_time_s=10.0, load_ended_s=START_S + 10)
    written(tmp_path, 1, first)
    times = [(due + 15, sent + 15, done + 15) for due, sent, done in evenly(100, 10.0, 0.02)]
    outcomes = [Outcome.CONNECTION_REFUSED if 30 <= n < 70 else Outcome.VALID for n in range(100)]
    second = recording(calls(times, outcome=outcomes), run_time_s=10.0, load_ended_s=START_S + 25)
    second.events.append({"t_s": START_S + 22.5, "what": SERVER_RESTARTED})
    written(tmp_path, 2, second)
    return tmp_path


def test_parts_are_read_as_one_soak(two_parts: Path) -> None:
    found = read_soak(two_parts)
    assert found.ended is Ended.DONE
    assert [(one.folder, one.at_s, one.load_s) for one in found.parts] == [
        ("parts/001", 0, 10),
        ("parts/002", 15, 10),
    ]
    assert found.longest_pause_s == 5
    outage, restart = found.happenings
    assert (outage.kind, outage.at_s, outage.length_s, outage.failed) == (Kind.OUTAGE, 18, 4, 40)
    assert (restart.kind, restart.at_s) == (Kind.RESTART, 22.5)
    assert sum(one.valid for one in found.stretches) == 160
    ends = [(one.at_s, one.at_s + one.length_s) for one in found.stretches]
    assert all(end <= begin for (_, end), (begin, _) in pairwise(ends))


def test_what_is_told_of_it(two_parts: Path) -> None:
    """In text, JSON by its schema, CSV and a page."""
    found = read_soak(two_parts)
    text = report.render(found)
    assert "between two of them the load paused for 5 s at most" in text
    assert "Measurement: NOT VALID" in text
    assert "0:00:18  no valid answer for 4 s, 40 calls failed" in text
    assert "0:00:22  the server, or a worker of it, restarted" in text
    validator("soak").validate(json.loads(report.render_json(found)))
    assert report.render_csv(found).count("\n") == 1 + len(found.stretches)
    page = soak_page.render(found)
    assert "40 calls failed" in page
    assert page.count("<svg") >= 2


def test_no_line_is_drawn_through_a_pause(two_parts: Path) -> None:
    """Two parts with 5 s between them: every line of every chart begins anew, once."""
    found = read_soak(two_parts)
    drawn = re.findall(r'<path class="line series-\d" d="([^"]*)"', soak_page.render(found))
    lines = [line for line in drawn if line != "M0 4H24"]  # a key of the legend
    pauses = [one for one, after in pairwise(found.stretches) if after.at_s - one.at_s > 2]
    assert len(pauses) == 1
    assert [line.count("M") for line in lines] == [2] * len(lines)
    assert lines


def test_a_part_that_is_missing_is_left_to_measure(two_parts: Path) -> None:
    (two_parts / SOAK_PLAN).write_text(json.dumps({"run_time_s": 35.0, "part_s": 10.0, "command": "again"}))
    found = read_soak(two_parts)
    assert found.left_s == 15
    assert found.ended is Ended.STOPPED
    assert "--resume" in report.sentences(found)[0]


@pytest.mark.parametrize(
    "plan", ["", "[]", '{"run_time_s": 1e12, "part_s": 1.0, "command": ""}', '{"run_time_s": 5.0}']
)
def test_a_plan_that_is_none_is_one_line(tmp_path: Path, plan: str) -> None:
    (tmp_path / SOAK_PLAN).write_text(plan)
    with pytest.raises(InputError) as refused:
        read_soak(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("number", [1, 2])
def test_a_part_that_cannot_be_read_is_not_valid(two_parts: Path, number: int) -> None:
    """Its calls were sent, and nobody knows what became of them: that is said, and never 0."""
    (part_folder(two_parts, number) / "recording.json").write_text("{")
    found = read_soak(two_parts)
    assert [one.folder for one in found.parts] == ["parts/001", "parts/002"]
    lost = found.parts[number - 1]
    assert (lost.calls, lost.load_s, lost.exit_code) == (0, 0, 4)
    assert found.left_s == 10
    said = "\n".join(report.sentences(found))
    assert "Measurement: NOT VALID" in said
    assert f"parts/00{number}: could not be read" in said
    assert exit_code(found) != 0
    validator("soak").validate(json.loads(report.render_json(found)))


def test_a_part_that_left_nothing_ends_the_soak(two_parts: Path) -> None:
    """Locust that dies before it wrote anything would be started for ever."""
    (two_parts / SOAK_PLAN).write_text(json.dumps({"run_time_s": 60.0, "part_s": 10.0, "command": "again"}))
    part_folder(two_parts, 3).mkdir()
    found = read_soak(two_parts)
    assert found.ended is Ended.EARLY
    assert "parts/003: could not be read" in "\n".join(report.sentences(found))


@pytest.mark.parametrize("code", [1, 137])
def test_a_run_that_dies_at_once_is_started_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Of a soak of four parts; Locust ends with `code` and leaves an empty folder."""
    started: list[str] = []

    def run(wanted: Launch, *_: object, **__: object) -> int:
        started.append(wanted.folder.name)
        return code

    monkeypatch.setattr(launch, "run", run)
    words = {"run_time": "40s", "part": "10s", "rate": 5, "quiet": True, "report_dir": tmp_path}
    found = scorebench.soak("http://127.0.0.1:1", **words)
    assert started == ["001"]
    assert exit_code(found) == 4


def test_a_soak_that_was_stopped_is_no_success() -> None:
    """One part of four, all of it good: 130, as a shell says of Ctrl-C."""
    found = soak(asked_s=240.0)
    assert found.ended is Ended.STOPPED
    assert exit_code(found) == 130
    assert exit_code(soak()) == 0
    assert exit_code(soak(asked_s=240.0, parts=(part(exit_code=3),))) == 3


@pytest.mark.parametrize(("part_code", "code"), [(0, 0), (1, 1), (3, 3), (4, 4)])
def test_a_part_that_is_not_good_decides(part_code: int, code: int) -> None:
    assert (
        exit_code(soak(parts=(part(), part("parts/002", exit_code=part_code), part()), asked_s=180.0)) == code
    )
