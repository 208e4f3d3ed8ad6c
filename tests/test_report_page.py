"""report.html: one file, nothing loaded, everything foreign escaped, and the summary's own figures."""

from __future__ import annotations

import base64
import hashlib
import html as stdlib_html
import re
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from scorebench import folder
from scorebench.limits import parse_limit
from scorebench.outcome import Outcome
from scorebench.recording import Recording
from scorebench.report import axes, page, svg
from scorebench.summary import summarise
from scorebench.verdict import judge
from tests.recordings import calls, evenly, recording

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
    shown = svg.chart("c", [svg.Series("s", [(0, 1.0), (1, None), (2, 1.0), (3, 2.0)])], axis, axis)
    path = re.search(r'class="line series-0" d="([^"]+)"><title>', shown)
    assert path
    assert path[1].count("M") == 2


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
    assert (tmp_path / "report.html").read_text() == page.render(again, summarise(again), verdict)
