"""What a worker says besides its reports is bounded, and deals nobody calls that were never asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scorebench.load.members import Members
from scorebench.load.numbers import size

SAID = """
from types import SimpleNamespace
import msgspec
from scorebench.plugin.lifecycle.messages import KEY, Beat, Exhausted, Unsent, content
for form, said in (
    (Beat, {"number": 1, "calls": -1, "in_flight": 0}),
    (Beat, {"number": 1, "calls": 2**63, "in_flight": 0}),
    (Beat, {"number": 1, "calls": float("nan"), "in_flight": 0}),
    (Beat, {"number": 1, "calls": 1, "in_flight": "many"}),
    (Unsent, {"numbers": [[0, 2**63, 1]]}),
    (Unsent, {"numbers": [[0, 10, 0]]}),
    (Unsent, {"numbers": [[0, 10, -1]]}),
    (Unsent, {"numbers": [[0, 10]]}),
    (Unsent, {"numbers": [], "warm_up_calls": -5}),
    (Exhausted, {"deals": -1}),
):
    try:
        print("taken", content(SimpleNamespace(data={KEY: msgspec.msgpack.encode(said)}), form))
    except ValueError as problem:
        print("refused", problem)
"""


def test_a_count_that_can_not_be_is_refused() -> None:
    """As ValueError, which the master logs in one line and goes on: ten messages, ten lines."""
    said = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in said.splitlines()] == ["refused"] * 10


@pytest.mark.parametrize("numbers", [range(2**50), range(90, 300), range(1, 100, 2)])
def test_a_worker_that_gives_up_what_it_never_had_adds_no_call(numbers: range) -> None:
    """A hundred calls dealt to two: after one joins and one leaves with a lie there are still a hundred."""
    members = Members(100, 10)
    members.begin(["one", "two"])
    members.join("three", 1.0)
    assert members.hand("one", [numbers], "three") == {}
    deals = members.leave("one", 2.0, [numbers], 1_000)
    assert all(size(deal.numbers) == 0 for deal in deals.values())
    assert size([piece for one in members.all.values() for piece in one.held]) == 100
    assert sum(one.warm_up_calls for one in members.all.values()) == 10


def test_what_it_had_is_dealt_to_the_others() -> None:
    """The last ten of the even numbers, from the first worker."""
    members = Members(100)
    members.begin(["one", "two"])
    deals = members.leave("one", 1.0, [range(80, 100, 2)])
    assert size(deals["two"].numbers) == 10
