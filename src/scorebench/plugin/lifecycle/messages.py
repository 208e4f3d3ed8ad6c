"""What master and workers say to each other, besides what Locust itself says. Knows words and their form.

What comes from a peer is checked by its type as it is decoded.
"""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any, TypeVar

import msgspec
from locust.runners import WORKER_REPORT_INTERVAL
from msgspec import Meta, Struct

from scorebench.load.dealing import Epoch
from scorebench.load.members import Deal
from scorebench.load.numbers import Ranges
from scorebench.payloads.payload import Payload
from scorebench.recordings.types import Count

KEY = "scorebench"
"""Where messages carry what they say, and Locust's regular reports what a worker has counted."""
BEHIND_S = ceil(WORKER_REPORT_INTERVAL) + 1
"""Seconds after which a master has heard of all calls of a second."""

HELLO, READY, BEGUN, BEAT = "scorebench_hello", "scorebench_ready", "scorebench_begun", "scorebench_beat"
"""From a worker: here I am; I can send what you asked for; my first call may leave; I live."""
EXHAUSTED, GIVEN, LEAVING = "scorebench_exhausted", "scorebench_given", "scorebench_leaving"
"""From a worker: I have nothing left to send; numbers that you asked back; I go."""
LAST = "scorebench_last"
"""From a worker: all that it still had to tell."""
OF_WORKERS = (HELLO, READY, BEGUN, BEAT, EXHAUSTED, GIVEN, LEAVING, LAST)
PREPARE, DEALT, ALIVE = "scorebench_prepare", "scorebench_dealt", "scorebench_alive"
"""From the master: make ready for this test; what you send from now on; I have heard you."""
STOP, CUT_SHORT, RESET = "scorebench_stop", "scorebench_cut_short", "scorebench_reset"
"""From the master: finish your calls; wait for them no longer; drop what you counted."""

Number = Annotated[int, Meta(ge=0, le=2**53)]
"""Of calls, or of one call: what a peer can say is bounded before it is counted with."""
Range = tuple[Number, Number, Annotated[int, Meta(ge=1, le=2**53)]]
"""First, end and step of numbers of calls."""
T = TypeVar("T")


class Hello(Struct):
    """A worker. `host` and `pid` say which process it is."""

    host: Annotated[str, Meta(max_length=255)]
    pid: Count


class Prepare(Struct):
    """The test to make ready for. Its options come beside it, as Locust sends them."""

    test: int
    host: str | None
    payload: Payload | None = None
    """Of a master that hands it out."""


class Ready(Struct):
    """What a worker would send, and with what; `fault` says why it can't."""

    test: int
    fault: str | None = None
    digest: str | None = None
    """Of the payload; None where the users bring their own."""
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    """Of what sends and counts."""
    encoders: dict[str, str] = msgspec.field(default_factory=dict)
    """Versions of what makes the payload, which explain another digest."""
    options: dict[str, str] = msgspec.field(default_factory=dict)
    """As texts, with the names of the user classes."""


class Dealt(Struct):
    """A `Deal` for one worker, whose `number` names it in recordings."""

    number: int
    epochs: list[tuple[float, int | None, int]]
    numbers: list[Range] = []
    warm_up_calls: int = 0
    gives_up: int = 0
    taker: str = ""
    """For whom it gives up numbers."""
    at_s: float | None = None
    """The time of the schedule when this was sent; None: it has not begun."""
    stood_still: bool = False
    """Whether the worker was not heard of: what came due meanwhile is not sent."""
    is_withdrawn: bool = False


class Beat(Struct):
    """The `number`-th sign of life.

    `calls` are done since the test began, those of users that are not ours included.
    """

    number: Number
    calls: Number
    in_flight: Number
    """Most calls that can be."""
    waiting: dict[Count, Count] = {}
    """{whole seconds that they have waited: calls in flight}, with --stop-when."""


class Alive(Struct):
    """The answer to a beat; `is_member` is false for a worker whose calls others send."""

    number: int
    is_member: bool


class Unsent(Struct):
    """Numbers of calls that a worker will not send; `taker` as in `Dealt`."""

    numbers: list[Range] = []
    taker: str = ""
    warm_up_calls: Number = 0


class Exhausted(Struct):
    """A worker has nothing left after so many deals."""

    deals: Number


def saying(what: Struct) -> dict[str, Any]:
    """The data of a message."""
    return {KEY: msgspec.msgpack.encode(what)}


def content(message: Any, form: type[T]) -> T:
    """What a message says. msgspec.ValidationError or a KeyError where it is not of this form."""
    return msgspec.msgpack.decode(message.data[KEY], type=form)


def dealt(
    deal: Deal, number: int, *, taker: str = "", at_s: float | None, since: tuple[Epoch, ...] = ()
) -> Dealt:
    """`deal` as a message to worker `number`; `since` are the epochs before it that it has not heard of."""
    return Dealt(
        number,
        [(one.from_s, one.place, one.members) for one in (*since, deal.epoch)],
        numbers=spans(deal.numbers),
        warm_up_calls=deal.warm_up_calls,
        gives_up=deal.gives_up,
        taker=taker,
        at_s=at_s,
        stood_still=bool(since),
        is_withdrawn=deal.is_withdrawn,
    )


def epochs_of(what: Dealt) -> list[Epoch]:
    """The epochs in a deal."""
    return [Epoch(from_s, place, members) for from_s, place, members in what.epochs]


def spans(numbers: Ranges) -> list[Range]:
    """Ranges as they travel."""
    return [(one.start, one.stop, one.step) for one in numbers]


def ranges(spans: list[Range]) -> Ranges:
    """What `spans` made."""
    return tuple(range(*one) for one in spans)
