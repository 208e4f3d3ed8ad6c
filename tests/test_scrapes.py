"""A server's own metrics: what is read of a page, and which of them moved with latency."""

from __future__ import annotations

import gzip
import math
import time

import numpy as np
import pytest
from scipy.stats import spearmanr

from scorebench.errors import InputError
from scorebench.figures.moved import ALPHA, MOST, correlated, server_metrics
from scorebench.figures.scraped import last_start_s, resident_bytes, series
from scorebench.figures.summary import summarise
from scorebench.recordings.recording import Recording
from scorebench.report import page, text
from scorebench.report import server_metrics as report
from scorebench.scrapes import place
from scorebench.scrapes.__main__ import interval_s
from scorebench.scrapes.asked import place_of, places_of
from scorebench.scrapes.exposed import LONGEST_LINE, MOST_SERIES, Unreadable, read
from scorebench.scrapes.message import Changes
from scorebench.scrapes.places import Places, instances
from scorebench.soaks.parts import stretches_of
from scorebench.verdicts.verdict import judge
from tests.metrics_server import metrics_server, raw_server
from tests.recordings import START_S, calls, recording

PAGE = """# HELP http_requests_total Calls.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a,b"} 1027
http_requests_total{code="500",path="/a,b"} 3
# TYPE queue_length gauge
queue_length 7
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 4
took_seconds_bucket{le="+Inf"} 5
took_seconds_sum 0.75
took_seconds_count 5
took_seconds_created 1.7e9
# TYPE unknown gauge
unknown NaN
never +Inf
some_total 12
"""


def test_a_page_is_read_by_the_kinds_that_it_names() -> None:
    """The form is that of Prometheus: text format 0.0.4. Buckets and times of creation tell of no second."""
    found = read(PAGE)
    assert found.counters == {
        'http_requests_total{code="200",path="/a,b"}': 1027,
        'http_requests_total{code="500",path="/a,b"}': 3,
        "took_seconds_sum": 0.75,
        "took_seconds_count": 5,
        "some_total": 12,
    }
    assert found.gauges == {"queue_length": 7}
    assert found.left_out == 0


@pytest.mark.parametrize(
    "text",
    ["", "<html><body>404</body></html>", "{}", 'a{b="c} 1', "a b c", "# TYPE a", "a{", "\x00", "a NaN",
     "\ud800 1", "=,=,{", "9" * 5000],
)  # fmt: skip
def test_what_is_no_page_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        read(text)


def test_a_hostile_page_costs_no_more_than_its_bounds() -> None:
    """A thousand series, a line of a megabyte, a number of 4,000 digits, a control character in a name."""
    lines = [f"series_{n} {n}" for n in range(1000)]
    hostile = ['x{a="' + "b" * 1_000_000 + '"} 1', "y " + "9" * (LONGEST_LINE - 10), 'z{a="\x1b[31m"} 1']
    found = read("\n".join([*hostile, *lines]))
    assert len(found.gauges) == MOST_SERIES
    assert found.left_out == 1000 - MOST_SERIES
    assert all(name.startswith("series_") for name in found.gauges)
    assert all(math.isfinite(value) for value in found.gauges.values())


def test_only_what_changed_is_kept() -> None:
    changes = Changes()
    assert changes.of({"a": 1.0, "b": 2.0}) == {"a": 1.0, "b": 2.0}
    assert changes.of({"a": 1.0, "b": 3.0}) == {"b": 3.0}


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://localhost:8002", "http://localhost:8002/metrics"),
        ("localhost:8002", "http://localhost:8002/metrics"),
        ("http://localhost:8002/", "http://localhost:8002/metrics"),
        ("https://h/a/b?c=d", "https://h/a/b?c=d"),
    ],
)
def test_a_place_without_a_path_is_metrics(url: str, asked: str) -> None:
    assert place_of(url).url == asked


@pytest.mark.parametrize("url", ["ftp://h/metrics", "http://user:secret@h/metrics", "nothing", ""])
def test_a_place_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(InputError, match="--scrape") as refused:
        place_of(url)
    assert "secret" not in str(refused.value)


def measured(latency_s: list[float], per_second: int = 20) -> Recording:
    """A second each of calls that take so long, and a reading at the begin of each second."""
    times = [
        (second + n / per_second, second + n / per_second, second + n / per_second + took_s)
        for second, took_s in enumerate(latency_s)
        for n in range(per_second)
    ]
    made = recording(calls(times), load_ended_s=START_S + len(latency_s))
    made.scraped_s = [START_S + n for n in range(len(latency_s) + 1)]
    return made


def with_series(made: Recording, name: str, values: list[float], *, counter: bool = False) -> None:
    kept = made.scraped_counters if counter else made.scraped_gauges
    kept[name] = list(zip(made.scraped_s, values, strict=True))


WAVE = [0.02 + 0.018 * math.sin(n / 3) ** 2 for n in range(60)]
"""Seconds of a minute, with many ups and downs, each at its own height."""


@pytest.fixture(scope="module")
def moved() -> Recording:
    """A queue as long as calls take, a counter that rises as they get faster, and noise."""
    made, random = measured(WAVE), np.random.default_rng(5)
    with_series(made, "queue", [0.0, *(1000 * took_s for took_s in WAVE)])
    risen = np.concatenate([[0.0], np.cumsum([1 / took_s for took_s in WAVE])])
    with_series(made, "done_total", risen.tolist(), counter=True)
    for n in range(20):
        with_series(made, f'noise{{n="{n}"}}', random.standard_normal(61).tolist())
    made.scraped_gauges["constant"] = [(made.scraped_s[0], 4.0)]
    return made


def test_what_moved_with_latency_is_named_and_nothing_else(moved: Recording) -> None:
    """The queue rises with latency, the counter's rate falls; medians of thirds are theirs."""
    found = server_metrics(moved)
    assert found is not None
    assert (found.readings, found.series, found.stretches) == (61, 23, 60)
    by_name = {one.name: one for one in found.moved}
    assert set(by_name) == {"queue", "done_total"}
    assert by_name["queue"].correlation > 0.95
    assert by_name["done_total"].correlation < -0.95
    assert by_name["done_total"].is_rate
    slowest_third = sorted(WAVE)[-20:]
    assert by_name["queue"].slow == pytest.approx(1000 * float(np.median(slowest_third)), rel=0.05)
    assert by_name["queue"].fast < by_name["queue"].slow


def test_it_stands_in_the_text_on_the_page_and_in_the_summary(moved: Recording) -> None:
    summary = summarise(moved)
    verdict = judge(summary, moved, ())
    shown = text.render(summary, verdict)
    assert report.TITLE in shown
    assert "queue" in shown
    assert "+0.9" in shown or "+1.0" in shown
    drawn = page.render(moved, summary, verdict)
    assert 'aria-label="queue"' in drawn
    assert 'aria-label="done_total"' in drawn


def test_a_run_without_scraping_has_no_such_section() -> None:
    made = measured(WAVE)
    made.scraped_s = []
    summary = summarise(made)
    assert summary.server_metrics is None
    assert report.TITLE not in text.render(summary, judge(summary, made, ()))


def test_too_few_seconds_name_nothing() -> None:
    made = measured(WAVE[:10])
    with_series(made, "queue", [0.0, *WAVE[:10]])
    found = server_metrics(made)
    assert found is not None
    assert found.moved == ()
    assert "takes 20 seconds" in report.notes(found)[0]


def test_a_server_that_restarts_has_no_negative_rate() -> None:
    """Its counters begin at 0 again: 5, 8, then 2 after a restart."""
    made = measured(WAVE[:3])
    with_series(made, "done_total", [5.0, 8.0, 2.0, 4.0], counter=True)
    assert series(made)["done_total"].tolist() == pytest.approx([3.0, math.nan, 2.0], nan_ok=True)


def test_a_series_without_a_value_has_none() -> None:
    """As a recording from elsewhere may have it."""
    made = measured(WAVE)
    made.scraped_gauges |= {"queue": [], "process_resident_memory_bytes": []}
    assert np.isnan(series(made)["queue"]).all()
    assert resident_bytes(made) == []
    found = server_metrics(made)
    assert found is not None
    assert found.moved == ()


def test_the_correlation_is_that_of_scipy() -> None:
    random = np.random.default_rng(3)
    one = random.standard_normal(200)
    other = one + random.standard_normal(200)
    assert correlated(one, other)[0] == pytest.approx(spearmanr(one, other).statistic)


def test_series_that_only_wander_are_seldom_named() -> None:
    """Of 300 runs of five minutes, each with 20 series and a latency that keep 0.9 of their distance.

    Nothing moves with anything, so 5 % may name one, and by chance 8 %: the binomial's 99 % quantile is 24.
    """
    random, wrong = np.random.default_rng(9), 0
    steps = random.standard_normal((300, 21, 300))
    for second in range(1, 300):
        steps[:, :, second] += 0.9 * steps[:, :, second - 1]
    for run in steps:
        p = [correlated(run[0], values) for values in run[1:]]
        wrong += any(abs(found) >= 0.5 and chance < ALPHA / 20 for found, chance in p)
    assert wrong <= 24, wrong


def test_at_most_a_handful_is_named() -> None:
    made = measured(WAVE)
    for n in range(12):
        with_series(made, f"queue_{n}", [0.0, *WAVE])
    found = server_metrics(made)
    assert found is not None
    assert len(found.moved) == MOST


def test_a_soak_of_a_server_elsewhere_has_its_memory() -> None:
    """Two processes of 100 and 50 MB that keep a megabyte more each second, together 150 to 158."""
    made = measured(WAVE[:4])
    for name, begin in (('{pid="1"}', 100e6), ('{pid="2"}', 50e6)):
        values = [begin + n * 1e6 for n in range(5)]
        with_series(made, f"process_resident_memory_bytes{name}", values)
    assert [size for _, size in resident_bytes(made)] == [150e6, 152e6, 154e6, 156e6, 158e6]
    found = [one.server_rss_bytes for one in stretches_of(made, int(START_S), 2)]
    assert found == [153e6, 157e6]


def test_the_youngest_process_is_when_it_started() -> None:
    assert last_start_s({'process_start_time_seconds{pid="1"}': 5.0, "process_start_time_seconds": 9.0}) == 9
    assert last_start_s({"process_start_time_seconds_other": 9.0}) is None


def test_several_places_are_told_apart_as_prometheus_does() -> None:
    """By a label `instance`; a label of that name that the server has itself is renamed."""
    one = read('a{instance="mine",b="c"} 1\nd 2', instance="h:1")
    assert one.gauges == {'a{b="c",exported_instance="mine",instance="h:1"}': 1, 'd{instance="h:1"}': 2}
    urls = ["http://a:1/x", "a:1/y", "http://b:2", "b:2/metrics"]
    assert instances(places_of(urls)) == ["http://a:1/x", "http://a:1/y", "b:2"]
    assert instances(places_of(["http://b:2", "b:2/metrics"])) == [None]


def test_too_many_places_are_refused() -> None:
    with pytest.raises(InputError, match="at most 8"):
        places_of(f"http://h:{port}" for port in range(1, 10))
    with pytest.raises(InputError, match="2,000 characters"):
        places_of(["http://h/" + "a" * 3000])


def test_replicas_are_read_into_one_reading() -> None:
    """Each with half of the series that are kept; where one can't be read, the reading is none."""
    page = "\n".join(f"a{n} 1" for n in range(150))
    with metrics_server(lambda _: page) as one, metrics_server(lambda _: page) as other:
        found = Places(places_of([one.url, other.url])).scrape()
        assert (len(found.gauges), found.left_out) == (200, 100)
        with pytest.raises(Unreadable, match="/nothing: no metrics there: it answered with status 404"):
            Places(places_of([one.url, one.url.replace("metrics", "nothing")])).scrape()


def test_to_read_takes_a_tenth_of_a_core_at_most() -> None:
    """A page that takes 0.5 s of work is read every 5 s; a run of an hour every 6 s."""
    assert interval_s(10, 0.001) == 1
    assert interval_s(10, 0.5) == 5
    assert interval_s(3600, 0.001) == 6


GZIP = gzip.compress(b"a 1\n" * 10_000_000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/metrics\r\nContent-Length: 0\r\n\r\n", "302"),
        (
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIP) + GZIP,
            "no metrics",
        ),
        (HEAD + b"Content-Length: 99999999999\r\n\r\na 1\n", "no metrics"),
        (HEAD + b"\r\n" + b"a 1\n" * 1_100_000, "no metrics"),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"fffff\r\n" + b"a" * 0xFFFFF,
            "no metrics",
        ),
        (b"\x00\xff" * 5000, "no metrics"),
        (b"", "no metrics"),
    ],
    ids=["elsewhere", "bomb", "a length that is too large", "too large", "cut", "noise", "nothing"],
)
def test_a_hostile_server_is_unreadable(answer: bytes, why: str) -> None:
    """A redirect isn't followed, nothing is unpacked, and of 4 MB or more nothing is kept."""
    with raw_server(answer) as url, pytest.raises(Unreadable, match=why):
        Places(places_of([url])).scrape()


def test_a_server_that_never_ends_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not make the wait longer: it is for the whole answer."""
    monkeypatch.setattr(place, "TIMEOUT_S", 0.5)
    began_s = time.monotonic()
    with raw_server(HEAD + b"\r\n", drip=b"#") as url, pytest.raises(Unreadable):
        Places(places_of([url])).scrape()
    assert time.monotonic() - began_s < 20
