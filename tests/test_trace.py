"""Replaying a file of timestamps."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorebench.errors import InputError
from scorebench.load.arrivals import Arrivals, parse
from scorebench.load.dealing import Epoch, Tickets


def due(arrivals: Arrivals) -> list[float]:
    return list(arrivals.due_times())


def trace_of(tmp_path: Path, text: str) -> str:
    (tmp_path / "calls.csv").write_text(text, encoding="utf-8")
    return f"replay:{tmp_path}/calls.csv"


@pytest.mark.parametrize(
    "text",
    [
        "100\n100.5\n100.5\n104\n",
        "timestamp\n100\n100.5\n100.5\n104\n",
        "\ufeffmethod,Timestamp,bytes\nPOST,100,7\nPOST,100.5,7\n\nPOST,100.5,7\nPOST,104,7\n",
        "2026-01-02T03:04:05Z\n2026-01-02T03:04:05.5Z\n2026-01-02T04:04:05.5+01:00\n2026-01-02T03:04:09\n",
    ],
    ids=["bare", "header", "named column", "ISO 8601"],
)
def test_a_trace_is_replayed_from_its_first_time(tmp_path: Path, text: str) -> None:
    """Seconds or date-times, with or without a header: due 0, 0.5, 0.5 and 4 s after the start."""
    assert due(parse(trace_of(tmp_path, text), None, None, 1)) == pytest.approx([0, 0.5, 0.5, 4])


def test_a_trace_can_be_played_faster_and_slower(tmp_path: Path) -> None:
    """*2 halves every time, *0.5 doubles it."""
    spec = trace_of(tmp_path, "10\n11\n14\n")
    assert due(parse(f"{spec}*2", None, None, 1)) == [0, 0.5, 2]
    assert due(parse(f"{spec}*0.5", None, None, 1)) == [0, 2, 8]


def test_a_trace_counts_shares_and_ends_like_any_schedule(tmp_path: Path) -> None:
    """Calls before the run's end only; dealt in turn; its rate is the calls in the second."""
    arrivals = parse(trace_of(tmp_path, "0\n0.2\n0.4\n1.5\n3\n"), None, 3, 1)
    assert due(arrivals) == [0, 0.2, 0.4, 1.5]
    assert [due_s for due_s, _ in Tickets(arrivals, Epoch(0.0, 1, 2))] == [0.2, 1.5]
    assert arrivals.expected_calls(3) == 4
    assert [arrivals.rate_at(at) for at in (0.9, 1.2, 2.5)] == [3, 1, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found no timestamp"),
        ("timestamp\n", "found no timestamp"),
        ("1\n3\n2\n", r"line 3: found 2 after a later time; expected ascending. Sort"),
        ("t\n1\nnan\n", r"line 3: found 'nan'; expected seconds, below 1e12, or an ISO 8601"),
        ("nan\n1\n", r"line 1: found 'nan'"),
        ("1\ninf\n", r"line 2: found 'inf'"),
        ("1\nsoon\n", r"line 2: found 'soon'"),
        ("id,ts\na,1\nb\n", r"line 3: found ''"),
    ],
)
def test_a_bad_trace_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """Empty, not ascending, not a number: the message names file, line and what was found."""
    with pytest.raises(InputError, match=rf"calls\.csv.*{said}"):
        parse(trace_of(tmp_path, text), None, None, 1)


def test_a_trace_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    """A missing file, a directory and a binary are wrong input, not a traceback."""
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    for name in ("missing.csv", "", "binary.csv"):
        with pytest.raises(InputError, match="can't be read as a CSV file of timestamps"):
            parse(f"replay:{tmp_path}/{name}", None, None, 1)
