"""The report as text: what a user reads at the end of a run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording
from scorebench.report import text
from scorebench.report.account import account
from scorebench.report.words import count, milliseconds, plain
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge
from tests.recordings import batches, calls, evenly, recording, with_due


def rendered(made: Recording, *limits: str, **how: Any) -> str:
    summary = summarise(made)
    return text.render(summary, judge(summary, made, [parse_limit(limit) for limit in limits]), **how)


def slow_and_failing() -> Recording:
    """Seven hundred calls at 100/s in an open loop, two of them failed."""
    outcomes = [Outcome.MODEL_ERROR] * 2 + [0] * 698
    made = recording(calls(evenly(700, service_s=0.04), outcome=outcomes), arrivals="constant")
    made.add_example("model error", "HTTP 500: \x1b[31mno such\ncolumn\x07")
    return made


def test_the_verdicts_come_first() -> None:
    """Measurement, limits, and each limit with its figure, before anything else."""
    lines = rendered(slow_and_failing(), "p99<20ms", "valid>50%").splitlines()
    assert lines[0] == "Measurement: valid"
    assert lines[1] == "Limits:      MISSED: 1 of 2 met"
    assert lines[2] == "  MISSED     p99<20ms: p99 is 40 ms, beyond p99<20ms"
    assert lines[3] == "  met        valid>50%: valid is 99.71 %, within valid>50%"
    assert lines[4] == "  failed     2 calls without a valid answer; 349 allowed"


def test_the_headline_holds_rates_shares_and_percentiles() -> None:
    """700 calls due in 7 s, 698 valid: 99.7 a second, and each number with its unit."""
    shown = rendered(slow_and_failing())
    assert "700 calls in 7 s: 99.7 valid answers/s, 99.7 rows/s, 99.71 % of the calls valid" in shown
    assert "Response time: p50 40 ms, p95 40 ms, p99 40 ms (99 % sure: 40 ms to 40 ms)" in shown


def test_too_few_calls_are_words_and_not_numbers() -> None:
    """Of 100 calls p99 says how many it needs, in the headline and in the table."""
    shown = rendered(recording(calls(evenly(100))))
    assert "p99 needs 662 calls" in shown
    assert re.search(r"^  p99\.9 +needs 6,636 calls$", shown, flags=re.MULTILINE)


def test_failures_are_listed_by_cause_with_an_example() -> None:
    """What failed, how often, and the first answer on one line without control characters."""
    shown = rendered(slow_and_failing())
    assert re.search(r"^  model error +2 +0\.286 %$", shown, flags=re.MULTILINE)
    assert "model error: HTTP 500: no such column" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_a_run_without_a_valid_answer_shows_no_times() -> None:
    """Error pages are not timed: no table of times, no rate, and the reason why."""
    shown = rendered(recording(calls(evenly(5), outcome=Outcome.GATEWAY_ERROR)))
    assert "5 calls sent, no valid answer: there are no times to show." in shown
    assert "gateway error" in shown
    assert "p50" not in shown
    assert "valid answers/s" not in shown


def test_an_empty_run_says_so() -> None:
    """No call, no table, and a verdict that names it."""
    shown = rendered(Recording())
    assert "Measurement: NOT VALID" in shown
    assert "No call was sent." in shown


@given(batches())
def test_nothing_unmeasured_is_printed_as_a_number(batch: Calls) -> None:
    """Whatever the calls: no None, no nan, no infinity in the text, and no line that ends in spaces."""
    shown = rendered(recording(batch, arrivals="poisson"))
    assert not re.search(r"\b(None|nan|inf)\b", shown)
    assert not re.search(r" $", shown, flags=re.MULTILINE)


def test_the_account_adds_up_on_paper() -> None:
    """due = valid + invalid + failed + cut off + never sent, with the causes below."""
    made = slow_and_failing()
    made.add_never_sent("the run ended", 5)
    shown = rendered(made)
    assert "705 calls due = 698 valid + 0 invalid + 2 failed + 0 cut off + 5 never sent" in shown
    assert "Never sent: 5, the run ended" in shown
    assert "DOES NOT ADD UP" in rendered(with_due(recording(calls(evenly(3))), 4))


def test_open_and_closed_loop_show_what_they_have() -> None:
    """In a closed loop a call is due when it is sent: one column. In an open loop two, and the lag."""
    opened, closed = rendered(slow_and_failing()), rendered(recording(calls(evenly(700), waited=False)))
    assert "response time from due" in opened
    assert "Generator lag: p50" in opened
    assert "response" not in closed
    assert "lag" not in closed


def test_users_are_a_table_that_is_cut() -> None:
    """Thread, mean, max, min as ever; of 1,000 users twenty, and how many more."""
    made = recording(calls(evenly(1_000), user=list(range(1_000))))
    lines = rendered(made).splitlines()
    head = next(number for number, line in enumerate(lines) if "Thread" in line)
    assert lines[head].split() == ["Thread", "Mean", "Max", "Min", "Calls", "Valid"]
    assert [line.split()[0] for line in lines[head + 1 : head + 21]] == [str(user) for user in range(20)]
    assert lines[head + 21] == "  … and 980 more in users.csv"
    assert "more" not in rendered(made, users=1_000)


def test_users_of_several_workers_are_named_by_both() -> None:
    """Worker 1's user 0 is 1.0; where there is one worker the number alone will do."""
    left, right = (recording(calls(evenly(2))) for _ in range(2))
    left.rename_users(1)
    right.rename_users(2)
    left.merge(right)
    shown = [line.split()[0] for line in rendered(left).splitlines() if re.match(r"  +\d\.\d ", line)]
    assert shown == ["1.0", "2.0"]


def test_the_environment_is_one_line() -> None:
    """Server, versions, cores and payload, as far as they are known."""
    told = {
        "server": {
            "kind": "webserver",
            "url": "http://127.0.0.1:5001",
            "mlflow_version": "3.4.0",
            "workers": 4,
        },
        "versions": {"scorebench": "0.1.0", "locust": None, "numpy": "2"},
        "host_cores": 2,
        "payload": {"format": "split", "rows_per_call": 1, "digest": "0123456789abcdef"},
    }
    last = rendered(recording(calls(evenly(2)), **told)).splitlines()[-1]
    assert last == (
        "webserver http://127.0.0.1:5001 (mlflow 3.4.0, workers 4); scorebench 0.1.0; host with 2 cores; "
        "payload split, 1 row a call, 0123456789ab"
    )
    assert rendered(recording(calls(evenly(2)), url="http://x")).splitlines()[-1] == "http://x"


def test_a_limit_that_is_open_has_its_reason_once() -> None:
    """Why p99 could not be judged stands in the finding, not twice."""
    shown = rendered(recording(calls(evenly(100))), "p99<20ms")
    assert "  open       p99<20ms\n" in shown
    assert shown.count("needs 662 calls") == 3  # the finding, the headline, the table


def test_a_lost_run_says_so() -> None:
    """A run that its own stop condition ended is lost, whatever its figures."""
    made = recording(calls(evenly(3)))
    assert "stop condition" not in rendered(made)
    made.events.append({"t_s": 0, "what": "stopped early"})
    assert "  lost       --stop-when ended the run" in rendered(made)


def test_colours_only_where_asked() -> None:
    """Without colour no escape; with it the same text, painted."""
    bare, painted = (rendered(slow_and_failing(), "p99<20ms", colour=colour) for colour in (False, True))
    assert "\x1b" not in bare
    assert "\x1b[31mMISSED" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == bare


def test_nothing_is_green_where_the_measurement_is_not_valid() -> None:
    """A limit that such a run met is no good news yet."""
    made = recording(calls(evenly(1_000)))
    assert "\x1b[32mmet" in rendered(made, "p99<20s", colour=True)
    made.due = 2_000  # a thousand calls more than there is word of
    assert "NOT VALID" in rendered(made, "p99<20s")
    assert "\x1b[32m" not in rendered(made, "p99<20s", colour=True)


def test_lines_fit_the_width() -> None:
    """A long answer is cut to the width that is asked for."""
    made = slow_and_failing()
    made.examples["model error"] = "x" * 2_000
    line = next(line for line in rendered(made, width=60).splitlines() if "xxx" in line)
    assert len(line) <= 60
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("foreign", "expected"),
    [
        ("a\r\nb\tc", "a b c"),
        ("\x1b[2J\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x9b31mC1", "31mC1"),
        ("user\u202eevil\u200b", "userevil"),
        ("half \ud800", "half"),
        ("ünï 中文", "ünï 中文"),
    ],
)
def test_foreign_text_can_not_move_the_terminal(foreign: str, expected: str) -> None:
    """Line ends, escapes, titles, reversed writing and half characters are left out; letters stay."""
    assert plain(foreign) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "-"),
        (0.0000004, "0.000"),
        (0.00074, "0.740"),
        (0.01209, "12.09"),
        (0.12345, "123.5"),
        (2, "2,000.0"),
    ],
)
def test_milliseconds_have_the_digits_that_matter(seconds: float | None, expected: str) -> None:
    """Three to four digits; what was not measured is a dash."""
    assert milliseconds(seconds) == expected


def test_one_call_is_one_call() -> None:
    """Singular and plural."""
    assert (count(1, "call"), count(4_898, "call")) == ("1 call", "4,898 calls")


def test_what_was_sent_twice_stands_in_the_account() -> None:
    """On a line of its own: who counts the server's log finds that many calls more."""
    made = recording(calls(evenly(5)))
    assert not [line for line in account(summarise(made)) if "twice" in line]
    made.sent_twice, made.reconnects = 2, 3
    lines = account(summarise(made))
    assert "Sent twice: 2 calls, because the server had closed the idle connection" in lines
    assert "Reconnects: 3" in lines
