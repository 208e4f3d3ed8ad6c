"""The most calls that a worker can have had, against the tickets that it takes."""

from __future__ import annotations

import math
from itertools import takewhile
from pathlib import Path

import pytest

from scorebench.load.arrivals import Arrivals, parse
from scorebench.load.dealing import Epoch, Tickets
from scorebench.recordings.dealt import Dealt

pytestmark = pytest.mark.quick

RATE_PER_S = 700.0


def taken(
    arrivals: Arrivals, epochs: tuple[Epoch, ...], until_s: float, most_calls: int | None = None
) -> int:
    """What a worker takes that hears of every epoch in time."""
    tickets = Tickets(arrivals, epochs[0], most_calls)
    for epoch in epochs[1:]:
        tickets.change(epoch, -math.inf)
    return sum(1 for _ in takewhile(lambda ticket: ticket[0] < until_s, tickets))


@pytest.fixture(params=["constant", "poisson", "ramp:10-900", "poisson+spike:50-2000@2s+1s", "replay"])
def arrivals(request: pytest.FixtureRequest, tmp_path: Path) -> Arrivals:
    spec = request.param
    if spec == "replay":  # 2,048 calls: two whole blocks, and none behind them
        file = tmp_path / "times.csv"
        file.write_text("\n".join(["timestamp", *(str(number / 300) for number in range(2048))]))
        spec = f"replay:{file}"
    return parse(spec, RATE_PER_S if spec in ("constant", "poisson") else None, 7.0, 5)


@pytest.mark.parametrize("until_s", [0.0, 0.013, 1.0, 4.99, 6.9, 30.0])
@pytest.mark.parametrize(
    "epochs",
    [
        (Epoch(),),
        (Epoch(0.0, 1, 3),),
        (Epoch(0.0, 1, 2), Epoch(2.5, 0, 3)),
        (Epoch(0.0, 1, 2), Epoch(1.0, None, 1), Epoch(3.7, 2, 4), Epoch(3.8, 2, 3)),
        (Epoch(4.0, 1, 2),),
    ],
)
def test_it_is_what_a_worker_takes(arrivals: Arrivals, epochs: tuple[Epoch, ...], until_s: float) -> None:
    """Of the same schedule, ticket by ticket, whatever its epochs and its end are."""
    assert Dealt(arrivals).most(epochs, until_s, 0.0) == taken(arrivals, epochs, until_s)
    assert Dealt(arrivals, 900).most(epochs, until_s, 0.0) == taken(arrivals, epochs, until_s, 900)


def test_who_hears_late_goes_on_as_before() -> None:
    """100/s: 50 of the first second, 25 of the second; and 25 of its first half by the old epoch."""
    arrivals = parse("constant", 100.0, 2.0, 0)
    epochs = (Epoch(0.0, 0, 2), Epoch(1.0, 0, 4))
    assert Dealt(arrivals).most(epochs, 2.0, 0.0) == 50 + 25
    assert Dealt(arrivals).most(epochs, 2.0, 0.5) == 50 + 25 + 25
    assert Dealt(arrivals).most(epochs, 0.5, 0.5) == 25
