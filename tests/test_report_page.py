"""report.html: one file, nothing loaded, everything foreign escaped, and the summary's own figures."""

from __future__ import annotations

import base64
import hashlib
import html as stdlib_html
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from scorebench.answers.outcome import Outcome
from scorebench.answers.streams import Streamed
from scorebench.capacity.found import Capacity, Ended
from scorebench.errors import InputError
from scorebench.figures.percentiles import calls_needed
from scorebench.figures.summary import summarise
from scorebench.folders import atomic, folder
from scorebench.recordings.recording import Recording
from scorebench.recordings.streams import streams_of
from scorebench.report import axes, capacity, capacity_page, page, svg
from scorebench.report.charts import Chart, curve
from scorebench.report.setup import groups
from scorebench.report.time_charts import time_charts
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge
from tests.commands import here
from tests.recordings import START_S, calls, data_of, evenly, recording

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def made(of: Recording, *limits: str) -> str:
    summary = summarise(of)
    return page.render(of, summary, judge(summary, of, [parse_limit(text) for text in limits]))


def text_of(shown: str) -> str:
    body = re.sub(r"<(style|script)>.*?</\1>", "", shown, flags=re.DOTALL)
    return " ".join(stdlib_html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def thousand() -> Recording:
    return recording(calls(evenly(1000), user=[0, 1] * 500), host_cores=2, command="scorebench run x")


def test_verdicts_come_first_then_figures() -> None:
    """Valid and met, before any figure; p99 as the summary has it, and what a p99.9 would take."""
    shown = text_of(made(thousand(), "p99<50ms"))
    assert shown.index("Valid.") < shown.index("Met: p99<50ms") < shown.index("Valid answers")
    assert "p99 10 ms" in shown
    assert "needs 6,636 calls" in shown
    assert "scorebench run x" in shown


def test_a_missed_limit_and_a_bad_measurement_are_told_apart() -> None:
    """Two sentences, never one."""
    of = recording(calls(evenly(1000, lag_s=0.5)), arrivals="constant")
    shown = text_of(made(of, "p99<1ms"))
    assert "Missed: p99<1ms" in shown
    assert "Not valid." in shown
    assert "the generator was late" in shown


def test_a_page_that_is_not_valid_says_why_at_once_and_nothing_green() -> None:
    """A kept limit is told after the reason, without the colour of something good."""
    of = recording(calls(evenly(1000, lag_s=0.5)), arrivals="constant")
    page = made(of, "p99<5s")
    shown = text_of(page)
    assert shown.index("Not valid.") < shown.index("the generator was late") < shown.index("Met: p99<5s")
    assert 'class="verdict good"' not in page
    assert 'class="verdict good"' in made(thousand(), "p99<50ms")


def test_a_run_whose_calls_all_failed_opens_with_that_and_the_servers_message() -> None:
    """Before any other verdict: how many, how they ended, and what the first answer said."""
    of = recording(calls(evenly(277), outcome=Outcome.REJECTED))
    of.examples = {Outcome.REJECTED.label: "400 Model is missing inputs ['pH']"}
    shown = text_of(made(of))
    told = [
        "No call got a valid answer. 277 of 277 calls ended as “rejected”. The first said:",
        "400 Model is missing inputs ['pH']",
        "Not valid.",
    ]
    assert [shown.index(text) for text in told] == sorted(shown.index(text) for text in told)
    assert "No call got a valid answer" not in text_of(made(thousand()))


def test_what_a_server_or_user_says_stays_text() -> None:
    """In an answer, an outcome, a command, an environment's key: no tag of theirs is a tag of ours."""
    of = thousand()
    of.measured.add(calls([(11.0, 11.0, 11.1)], outcome=Outcome.MODEL_ERROR))
    of.add_example(Outcome.MODEL_ERROR.label, ATTACK)
    of.environment |= {"command": ATTACK, ATTACK: ATTACK, "server": {"kind": ATTACK}, "url": ATTACK}
    of.resources.append({"t_s": 1.0, "who": ATTACK, "cpu": 0.5, "rss_bytes": 5})
    of.resources.append({"t_s": 2.0, "who": ATTACK, "cpu": 0.5, "rss_bytes": 5})
    shown = made(of)
    assert shown.count("<script>") == 1
    assert "<img" not in shown
    assert text_of(shown).count("alert(1)") >= 4


def test_only_what_has_the_hash_may_run_and_nothing_may_load() -> None:
    """The policy forbids all but one style and one script, whose hashes are those of what stands there."""
    shown = made(thousand())
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', shown)
    assert found
    policy = found[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", shown, re.DOTALL)
        assert inside
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.findall(
        r"""(?:src|href)\s*=|url\(|@import|style=""", re.sub(r"<script>.*?</script>", "", shown)
    )
    assert not re.findall(r"\son\w+=", shown)


def test_charts_are_drawn_and_named() -> None:
    """Each is well-formed, has a name for a screen reader, and a table that says the same."""
    shown = made(thousand())
    drawn = re.findall(r"<svg class=\"chart\".*?</svg>(?=<ul)", shown, re.DOTALL)
    assert len(drawn) == 4
    for one in drawn:
        assert ElementTree.fromstring(one).get("aria-label")
    assert shown.count("As a table") == 4


def test_a_run_without_calls_has_a_page() -> None:
    """Verdicts and what is known; no chart, no figure."""
    shown = text_of(made(Recording()))
    assert "Not valid." in shown
    assert "not measured" in shown
    assert " 0 ms" not in shown


def test_a_line_has_a_gap_where_nothing_was_measured() -> None:
    """None lifts the pen: two strokes, not one through zero."""
    axis = axes.linear("x", 3, str)
    points = [(0, 1.0), (0.5, 1.0), (1, None), (2, 1.0), (3, 2.0)]
    shown = svg.chart("c", [svg.Series("s", points)], axis, axis)
    path = re.search(r'class="line series-0" d="([^"]+)"><title>', shown)
    assert path
    assert path[1].count("M") == 2


def test_a_point_alone_is_seen() -> None:
    """One call, or a second between two without any: a dot, which no pattern of dashes makes a speck."""
    axis = axes.linear("x", 3, str)
    shown = svg.chart("c", [svg.Series("s", [(0, None), (1, 1.0), (2, None)])], axis, axis)
    assert re.search(r'class="dot alone series-0" d="M333.33 133.3h.01"', shown)
    assert 'class="line series-0" d=""' in shown
    assert "1 call in 10 ms" in text_of(made(recording(calls(evenly(1)))))


@pytest.mark.parametrize("high", [0.001, 1, 7, 99, 1234.5, 1e7])
def test_axes_end_on_round_numbers_beyond_the_values(high: float) -> None:
    """The last tick is not below the greatest value, and there are a few of them."""
    axis = axes.linear("x", high, str)
    assert axis.high >= high
    assert 2 <= len(axis.ticks) <= 6


def test_each_nine_takes_the_same_room() -> None:
    """p90, p99 and p99.9 are evenly apart on an HDR axis."""
    axis = axes.hdr("p", 0.9995)
    at = [axis.share(share) for share in (0.9, 0.99, 0.999)]
    assert at[1] - at[0] == pytest.approx(at[2] - at[1])


def test_a_long_run_makes_a_small_page_soon() -> None:
    """1,000 users and 2 hours: below 5 MB; the charts keep the slowest second."""
    service_s = np.full(72_000, 0.01)
    service_s[36_000] = 7.0
    of = recording(
        calls(
            evenly(72_000, rate_per_s=10.0, service_s=service_s.tolist()),
            user=[n % 1000 for n in range(72_000)],
        )
    )
    began = time.monotonic()
    shown = made(of)
    assert len(shown.encode()) < 5_000_000
    assert time.monotonic() - began < 60  # the benchmark says how long; this, that it is no mistake of kind
    assert re.search(r"\b(6\.9\d|7|7\.0\d) s\b", text_of(shown))  # by the second, 1 % wide


def test_a_folder_holds_its_page(tmp_path: Path) -> None:
    """Written with the rest, and the same as `report --format html` makes from the recording alone."""
    of = thousand()
    summary = summarise(of)
    verdict = judge(summary, of)
    folder.write(tmp_path, of, summary, verdict)
    again = folder.read(tmp_path)
    files = ["recording.json", "summary.json", "users.csv", "seconds.csv"]
    written = (tmp_path / "report.html").read_text()
    assert written == page.render(again, summarise(again), verdict, files=files)
    assert re.findall(r'<a href="([^"]*)">', written) == files
    assert all((tmp_path / name).is_file() for name in files)


def searched() -> dict[str, Any]:
    """What a search leaves: a ladder of two steps, a rate that held, one that broke, one without a figure."""
    steps: list[dict[str, Any]] = [
        {"users": 1, "rate_per_s": None, "throughput_per_s": 100.0, "mean_service_s": 0.01},
        {"users": 2, "rate_per_s": None, "throughput_per_s": 120.0, "mean_service_s": 0.017},
        {"users": 8, "rate_per_s": 90.0, "figures": {"p99<50ms": 0.04}, "held": True},
        {"users": 8, "rate_per_s": 110.0, "figures": {"p99<50ms": 0.3}, "held": False},
        {"users": 8, "rate_per_s": 99.0, "figures": {"p99<50ms": 0.02}, "held": False},
        {"users": 8, "rate_per_s": 98.0, "figures": {"p99<50ms": None}, "held": None, "invalid": ATTACK},
    ]
    usual: dict[str, Any] = {
        "number": 0,
        "duration_s": 20.0,
        "sent_per_s": 90.0,
        "throughput_per_s": 90.0,
        "mean_service_s": None,
    }
    usual |= {"figures": {}, "held": None, "invalid": None}
    told = {"url": ATTACK, "command": "scorebench capacity x", "users": 8, "arrivals": "as answered"}
    record: dict[str, Any] = {
        "limits": ["p99<50ms"],
        "budget_s": 300.0,
        "spent_s": 280.0,
        "held": {},
        "knee": {"step": 0, "users": 1},
        "environment": told,
    }
    return record | {"steps": [usual | step for step in steps]}


def test_a_search_shows_its_knee_and_which_rates_held() -> None:
    """The answer first; the knee by its users; each rate's figure, and what was not measured."""
    shown = capacity_page.render(f"Holds 90/s.\nFails at 110/s.\n\n  Step ... {ATTACK}\n", searched())
    text = text_of(shown)
    assert text.index("Holds 90/s.") < text.index("knee: 1 user") < text.index("p99 by offered rate")
    assert "110/s 300 ms did not hold" in text
    assert "99/s 20 ms did not hold" in text
    assert "98/s not measured says neither" in text
    assert shown.count("<script>") == 1
    assert "Step ..." not in text


def test_a_search_has_one_headline_and_its_own_options() -> None:
    """What follows the answer is why; of the first step's load, which is one of many, nothing is shown."""
    shown = capacity_page.render("Holds 90/s.\nFails at 110/s.\nAt the knee …\n", searched())
    assert shown.count('class="verdict ') == 1
    assert '<ul class="why"><li>Fails at 110/s.</li><li>At the knee …</li></ul>' in shown
    text = text_of(shown)
    assert "time for the search 300 s time it took 280 s" in text
    assert "the longest step was asked to last 20 s" in text
    assert "as answered" not in text


def test_a_step_shows_the_search_it_is_part_of() -> None:
    """The same charts, before those of the run."""
    of = thousand()
    summary = summarise(of)
    shown = text_of(page.render(of, summary, judge(summary, of), capacity=searched()))
    assert shown.index("knee: 1 user") < shown.index("Time by percentile")


@pytest.mark.parametrize("rungs", [1, 2])
def test_no_knee_is_drawn_at_the_most_users(rungs: int) -> None:
    """A record of before may call it so; with one step there is no chart by users at all."""
    record = searched()
    ladder, rest = record["steps"][:rungs], record["steps"][2:]
    shown = capacity_page.render(
        "Holds 90/s.\n", record | {"steps": ladder + rest, "knee": {"step": 0, "users": rungs}}
    )
    assert "knee: " not in shown
    assert ("Valid answers by users" in shown) == (rungs > 1)
    assert ("No knee is drawn" in shown) == (rungs > 1)


def test_a_search_without_steps_has_a_page() -> None:
    """Nothing was answered: the sentence, and no chart."""
    record = searched() | {"steps": [], "held": None, "knee": None}
    shown = capacity_page.render("No call was answered.\n", record)
    assert "No call was answered." in text_of(shown)
    assert '<svg class="chart"' not in shown


def test_a_stall_of_a_second_survives_in_a_long_run() -> None:
    """Of 7,200 seconds one is slow: the line of the slowest call has it."""
    seconds = range(7200)
    slow = [2.0 if second == 5000 else 0.01 for second in seconds]
    of = recording(calls(evenly(7200, 1.0, slow)))
    latency = time_charts(of)[0]
    places, names, texts, _ = json.loads(stdlib_html.unescape(points_of(latency.drawn)))
    assert len(places) <= 3600
    at = [name for name, text in zip(names, texts[-1], strict=True) if text.startswith(("2", "1.9"))]
    assert len(at) == 1
    assert at[0] in ("1:23:12", "1:23:13", "1:23:19", "1:23:20")  # second 5000, or where its stretch begins


def test_first_chunks_are_drawn_over_the_run() -> None:
    """Of 20 s with 200 streams each, one second's first chunks took 2 s: the table and the peak say so.

    A run without streams has no such chart.
    """
    each, slow_second = 200, 7
    times = [2.0 if at // each == slow_second else 0.1 for at in range(20 * each)]
    batch = calls(evenly(20 * each, each, 3.0))
    found = [
        (at, Streamed(Outcome.VALID, first_s, first_s + 0.5, 2, 60, (0.5,), 7, 11))
        for at, first_s in enumerate(times)
    ]
    of = recording(replace(batch, streams=streams_of(found, np.zeros(len(batch)))))
    (chart,) = [one for one in time_charts(of) if one.title == "First chunk over the run"]
    assert chart.head == ["From", "p50", "p95", "latest first chunk"]
    rows = {row[0]: row[1:] for row in chart.rows}
    # The middle of a band, of which there are 64 a power of two: within 0.8 % of 2 s and 0.1 s.
    assert rows["7 s"] == ["2.01 s"] * 3
    assert rows["8 s"] == [rows["8 s"][0]] * 3
    assert rows["8 s"][0] in ("99.8 ms", "100 ms", "100.4 ms")
    assert "First chunk over the run" not in {one.title for one in time_charts(recording(calls(evenly(100))))}


def points_of(drawn: str) -> str:
    found = re.search(r'data-points="([^"]*)"', drawn)
    assert found
    return found[1]


def test_users_of_all_generators_add_up() -> None:
    """Two workers with three and four users make seven, from the second in which both were counted."""
    of = recording(calls(evenly(500)))
    for second in range(4):
        for who, users in (("generator 1", 3), ("generator 2", 4)):
            of.resources.append(
                {"t_s": START_S + second, "who": who, "cpu": None, "rss_bytes": None, "users": users}
            )
    charts = {chart.title: chart for chart in time_charts(of)}
    assert charts["Users"].rows == [["0 s", "7"]]
    assert "CPU" not in charts  # None is not measured, and no line at zero


def test_an_axis_of_time_names_whole_minutes() -> None:
    """Two hours: h:mm:ss, at most ten of them, the last at the end."""
    axis = axes.clock(7200.0)
    assert [text for _, text in axis.ticks][:2] == ["0:00:00", "0:15:00"]
    assert axis.ticks[-1] == (7200.0, "2:00:00")
    assert [text for _, text in axes.clock(30.0).ticks][-1] == "30 s"


def left(path: Path) -> Path:
    """The folder of a search in which nothing was answered."""
    nothing = dict.fromkeys(("held", "sure", "failed", "wall", "knee", "plateau_per_s"))
    limits = (parse_limit("p99<50ms"),)
    found = Capacity(limits=limits, ended=Ended.NO_ANSWER, floors=(), steps=(), budget_s=60.0, **nothing)
    atomic.write_text(path / "capacity.json", capacity.render_json(found, {"command": "scorebench x"}))
    atomic.write_text(path / "capacity.txt", capacity.render(found))
    return path


def test_a_search_is_shown_again_from_its_folder(tmp_path: Path) -> None:
    """Text, JSON and the page; what a search has not is told in a line."""
    left(tmp_path)
    assert "No call got a valid answer" in here(tmp_path, "report", ".").out
    assert json.loads(here(tmp_path, "report", ".", "--format", "json").out)["ended"] == "no answer"
    assert "<h1>Capacity of a server</h1>" in here(tmp_path, "report", ".", "--format", "html").out
    refused = here(tmp_path, "report", ".", "--format", "junit")
    assert refused.code == 2
    assert "not available for a capacity search" in refused.err


def test_half_a_character_becomes_the_sign_for_an_unknown_one(tmp_path: Path) -> None:
    """A name that no UTF-8 can hold, which earlier versions wrote as an escape: every format is printed."""
    of = data_of(recording(calls(evenly(700))))
    of["environment"]["server"] = {"kind": "half \ud800"}
    (tmp_path / "recording.json").write_text(json.dumps(of))
    for name in ("text", "csv", "html", "junit", "github", "markdown"):
        assert here(tmp_path, "report", ".", "--format", name).code == 0
    shown = here(tmp_path, "report", ".", "--format", "json").out
    assert json.loads(shown)["environment"]["server"]["kind"] == "half \ufffd"


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "is not JSON"), ("[]", "is damaged"), ('{"format": 2}', "is damaged"), ("NaN", "is not JSON")],
)
def test_a_damaged_record_of_a_search_is_refused_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    """Named by its file; no traceback."""
    path = left(tmp_path)
    (path / "capacity.json").write_text(text)
    with pytest.raises(InputError, match=told) as refused:
        folder.read_capacity(path)
    assert "capacity.json" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_page_says_when_it_was_measured() -> None:
    """Years later too: the date at the top, and no bare Unix time; what is none stands as it came."""
    shown = text_of(made(recording(calls(evenly(700)), started_s=START_S, stopped_s=START_S + 7)))
    assert "Measured on 2023-11-14 22:13:20 UTC" in shown
    assert "stopped 2023-11-14 22:13:27 UTC" in shown
    assert "1700000" not in shown
    assert "Measured on then" in text_of(made(recording(calls(evenly(700)), started_s="then")))
    assert "Measured on 1e+308" in text_of(made(recording(calls(evenly(700)), started_s=1e308)))


def test_the_last_second_of_a_rate_is_as_wide_as_the_others() -> None:
    """100 calls a second for 7 s, the last done just after: the whole seconds reach from 1 to 7."""
    rates = next(c for c in time_charts(recording(calls(evenly(700)))) if c.title == "Calls a second")
    places, names, _, _ = json.loads(stdlib_html.unescape(points_of(rates.drawn)))
    assert (names[0], names[-1]) == ("1 s", "7 s")
    assert len(places) == 7


def drawn_limits(chart: Chart) -> list[str]:
    """The texts of the limits that are drawn into a chart."""
    return re.findall(r'<line class="limit"[^>]*/><text [^>]*>([^<]*)</text>', chart.drawn)


def test_limits_are_drawn_where_their_metric_is() -> None:
    """Times into the charts of percentiles and latency, throughput into that of rates; `valid` nowhere."""
    of = recording(calls(evenly(700)))
    limits = [parse_limit(text) for text in ("p99<50ms", "throughput>90/s", "valid>99%", "mean<1s")]
    for open_loop, name in ((False, "Service"), (True, "Response")):  # as times are called elsewhere
        drawn = time_charts(of, limits, open_loop=open_loop)
        found = {chart.title: drawn_limits(chart) for chart in drawn}
        assert found[f"{name} time over the run"] == ["p99&lt;50ms"]
    assert found["Calls a second"] == ["throughput&gt;90/s"]
    shown = made(of, "p99<50ms", "valid>99%")
    assert shown.count('class="limit"') == 2  # in the chart of percentiles, and in that over the run


def test_lines_that_lie_on_each_other_are_one() -> None:
    """A closed loop whose calls were all valid has one rate; one invalid call makes it two."""
    rates = next(c for c in time_charts(recording(calls(evenly(700)))) if c.title == "Calls a second")
    assert list(rates.head) == ["From", "valid answers"]
    outcomes = [Outcome.VALID] * 350 + [Outcome.NOT_FOUND] + [Outcome.VALID] * 349
    of = recording(calls(evenly(700), outcome=outcomes))
    rates = next(c for c in time_charts(of) if c.title == "Calls a second")
    assert list(rates.head) == ["From", "sent", "valid answers"]


def test_what_was_due_is_drawn_though_it_was_never_sent() -> None:
    """500 a second were offered and 100 sent: the line of what was due lies at 500, as --rate asked."""
    told = {"arrivals": "constant", "offered_rate_per_s": 500.0, "run_time_s": 7.0, "started_s": START_S}
    of = recording(calls(evenly(700)), **told)
    of.add_never_sent("all users were busy", 2800)
    rates = next(c for c in time_charts(of) if c.title == "Calls a second")
    assert list(rates.head) == ["From", "due", "valid answers"]
    assert {row[1] for row in rates.rows} == {"500/s"}
    assert {row[2] for row in rates.rows} == {"100/s"}


def test_a_percentile_that_needs_more_calls_is_not_on_the_line() -> None:
    """Of 467 calls p98.6 is supported and p99 is not: p99 needs 662 (MLPerf LoadGen's early stopping)."""
    shares = [share for share, _ in curve(summarise(recording(calls(evenly(467)))).response)]
    assert calls_needed(max(shares)) <= 467 < calls_needed(0.99)
    assert not curve(summarise(recording(calls(evenly(4)))).response)


def test_the_setup_is_said_in_words() -> None:
    """Groups with titles; units and no raw digits; what is not known is left out; a foreign value is text."""
    facts = {
        "users": 5,
        "scenario": None,
        "warm_up_s": 2.5,
        "shared_cores": True,
        "host": ATTACK,
        "server": {"time_to_ready_s": 21.254320589000145, "workers": 1, "image": None},
        "payload": {"bytes": 1337326, "source": {"name": "rows.csv"}},
    }
    found = {group.title: [list(row) for row in group.rows] for group in groups(facts)}
    assert found["Load"] == [["users", "5"], ["warm up", "2.5 s"]]
    assert found["Server"] == [["time to ready", "21.3 s"], ["workers", "1"]]
    assert found["What was sent"] == [["bytes", "1,337,326 bytes"], ["named", "rows.csv"]]
    assert found["Generator's machine"][1] == ["server and generator share cores", "yes"]
    assert ATTACK not in made(recording(calls(evenly(5)), **facts))
