"""The parts of a typical call: taken from the calls around a percentile, and they add up."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from scorebench.figures.stages import Stages, stages_of, typical
from scorebench.figures.summary import summarise
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.recordings.split import split_of
from scorebench.recordings.stages import MOST_OTHERS, MOST_WORKERS, Band, StageTally
from scorebench.recordings.tally import Tally
from scorebench.report import stages as report
from tests.recordings import START_S, calls, data_of, from_data, through_msgpack


def told_calls(parse_ms: list[float], predict_ms: list[float]) -> Calls:
    """Calls whose response time is parsing and predicting, to the microsecond, one a second."""
    lengths_s = [(a + b) / 1e3 for a, b in zip(parse_ms, predict_ms, strict=True)]
    times = [(float(n), float(n), n + s) for n, s in enumerate(lengths_s)]
    phases = [number for due, _, done in times for number in (0.0, 0.0, 0.0, due + 1e-9, done)]
    told = [
        f"total;dur={a + b}, parse;dur={a}, predict;dur={b}, worker;desc=7".encode()
        for a, b in zip(parse_ms, predict_ms, strict=True)
    ]
    return replace(calls(times), split=split_of(phases, told, START_S))


def counted(*batches: Calls) -> Tally:
    tally = Tally()
    for batch in batches:
        tally.add(batch)
    return tally


def figures(tally: Tally) -> Stages:
    found = stages_of(tally.stages)
    assert found is not None
    return found


def test_parts_of_the_median_call_add_up_where_medians_of_parts_do_not() -> None:
    """A third parses 10 and predicts 1, a third 1 and 10, a third 6 and 6 ms.

    The medians of the parts are 6 and 6, 12 together, and the median call takes 11: a third of the calls is
    faster than none. Sorted by response time the first two thirds take 11 ms, so the calls around the median
    are of both kinds, and their mean is 5.5 of each.
    """
    parse_ms, predict_ms = [10.0, 1.0, 6.0] * 200, [1.0, 10.0, 6.0] * 200
    assert median(parse_ms) + median(predict_ms) == 12
    call = figures(counted(told_calls(parse_ms, predict_ms))).typical["p50"]
    assert call is not None
    assert call.mean_s == pytest.approx(0.011, rel=1e-6)
    assert call.parts_s == pytest.approx({"parse": 0.0055, "predict": 0.0055}, rel=1e-4)
    assert call.low_s <= 0.011 <= call.high_s


def test_the_slow_calls_have_parts_of_their_own() -> None:
    """98 of 100 calls predict for 5 ms; two of 100 parse for 95 more, and p99 is one of these."""
    slow = [n % 50 == 0 for n in range(1000)]
    tally = counted(told_calls([96.0 if one else 1.0 for one in slow], [5.0] * 1000))
    found = figures(tally)
    p50, p99 = found.typical["p50"], found.typical["p99"]
    assert p50 is not None
    assert p99 is not None
    assert p50.parts_s == pytest.approx({"parse": 0.001, "predict": 0.005}, rel=1e-3)
    assert p99.parts_s == pytest.approx({"parse": 0.096, "predict": 0.005}, rel=1e-3)
    assert found.mean_s == pytest.approx({"parse": 0.001 + 0.02 * 0.095, "predict": 0.005}, rel=1e-3)
    assert p99.calls == pytest.approx(10)  # half of the 10 calls above p99, and as many below
    assert found.workers == {"7": 1000}
    assert (found.calls, found.with_timings, found.impossible, found.refused) == (1000, 1000, 0, 0)


def test_too_few_calls_have_no_typical_one() -> None:
    """A p99 takes 662 calls, as everywhere."""
    found = figures(counted(told_calls([1.0] * 661, [5.0] * 661)))
    assert found.typical["p99"] is None
    assert found.typical["p50"] is not None
    assert "Too few calls for the p99 call." in report.lines(found, {})[-3:][0] + report.lines(found, {})[-2]


def test_bands_are_taken_in_part() -> None:
    """1,000 calls: p50 takes ranks 475 to 525. 490 calls lie below, so 15 of them and 35 of the others."""
    bands = {1000: Band(490, {"parse": 0.49}), 2000: Band(510, {"predict": 1.02})}
    call = typical(bands, 0.5)
    assert call is not None
    assert call.calls == pytest.approx(50)
    assert call.parts_s == pytest.approx({"parse": 15 * 0.001 / 50, "predict": 35 * 0.002 / 50})


def test_calls_that_were_not_valid_have_no_parts() -> None:
    whole = told_calls([1.0] * 4, [5.0] * 4)
    tally = counted(replace(whole, outcome=np.array([0, 5, 0, 5])))
    assert (tally.calls, tally.stages.calls) == (4, tally.valid)


def test_workers_add_up_to_the_whole() -> None:
    """What two processes counted is what one would have counted, through a file and through a message."""
    left, right = told_calls([1.0, 2.0, 3.0], [5.0, 5.0, 50.0]), told_calls([9.0], [1.0])
    one = Recording(measured=counted(left, right))
    two = Recording(measured=counted(left))
    two.merge(through_msgpack(Recording(measured=counted(right))))
    assert _told(two) == _told(one)
    assert _told(from_data(data_of(one))) == _told(one)


def _told(made: Recording) -> object:
    """The stages as JSON has them, to nine digits."""
    return _rounded(data_of(made)["measured"]["stages"])


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in sorted(value.items()) if key != "hdr"}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def test_a_recording_without_timings_has_no_stages() -> None:
    """Nor has its file, which older versions read."""
    made = Recording(measured=counted(calls([(0, 0, 1)])))
    assert data_of(made)["measured"]["stages"] is None
    assert summarise(made).stages is None


def test_names_of_a_servers_own_are_bounded() -> None:
    """A server that names each of its calls fills no memory."""
    count = MOST_OTHERS + MOST_WORKERS + 9
    one = calls([(float(n), float(n), n + 0.01) for n in range(count)])
    told = [f"own{n};dur=1, worker;desc=w{n}".encode() for n in range(count)]
    phases = [number for n in range(count) for number in (0, 0, 0, n + 1e-9, n + 0.01)]
    batch = replace(one, split=split_of(phases, told, START_S))
    tally = counted(batch)
    tally.merge(counted(batch))
    assert (len(tally.stages.others), len(tally.stages.workers)) == (MOST_OTHERS, MOST_WORKERS)
    assert set(tally.stages.workers.values()) == {2}


def test_what_a_report_says_of_a_server_that_tells_nothing() -> None:
    one = calls([(float(n), float(n), n + 0.01) for n in range(20)])
    phases = [number for n in range(20) for number in (0, 0, 0, n + 0.001, n + 0.009)]
    tally = counted(replace(one, split=split_of(phases, [b""] * 20, START_S)))
    lines = "\n".join(report.lines(stages_of(tally.stages), {}))
    assert "not known" in lines
    assert "The server sent no Server-Timing" in lines


@pytest.mark.parametrize("floor", [None, 3, [], {}, {"ping_s": "x", "connect_s": []}])
def test_a_recording_may_say_anything_of_the_floor(floor: object) -> None:
    """Only numbers are shown."""
    found = figures(counted(told_calls([1.0] * 20, [5.0] * 20)))
    assert "at least" not in "".join(report.notes(found, {"server": {"floor": floor}}))


def test_an_empty_tally_has_no_figures() -> None:
    assert stages_of(StageTally()) is None
    assert report.lines(None, {}) == []
