"""The types of a recording's values. Their bounds hold for every file that is read, and are in its schema.

Knows JSON's values and the labels of outcomes; not how calls are counted, and no file.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from scorebench.answers.outcome import BY_LABEL, FORMER
from scorebench.recordings.calls import UNKNOWN_USER

LONGEST_RUN_S = 7 * 24 * 3600
"""A week. Longer recordings are not read: every second between the first and the last is drawn."""
MOST_LIMITS = 1_000
"""Limits of one run. Each costs a millisecond to judge."""
_MOST_COUNTED = 2**53  # the whole numbers that every reader of JSON keeps exactly
_MOST_S = 1e12

Count = Annotated[int, Meta(ge=0, le=_MOST_COUNTED)]
UserNumber = Annotated[int, Meta(ge=UNKNOWN_USER, le=_MOST_COUNTED)]
"""-1: the calls of a thread, or of no user at all."""
Seconds = Annotated[float, Meta(ge=0, le=_MOST_S)]
Sum = Annotated[float, Meta(ge=0, le=1e18)]
Rate = Annotated[float, Meta(ge=0, le=1e12)]
UnixTime = Annotated[float, Meta(ge=-_MOST_S, le=_MOST_S)]
"""Seconds since the Unix epoch."""
UnixSecond = Annotated[int, Meta(ge=-(10**12), le=10**12)]
Label = Annotated[
    str,
    Meta(
        pattern=f"^(?:{'|'.join(map(re.escape, [*BY_LABEL, *FORMER]))})$",
        extra_json_schema={"enum": [*BY_LABEL, *FORMER]},
    ),
]
"""An outcome by its label."""
Text = Annotated[str, Meta(max_length=2_000)]
Example = Annotated[str, Meta(max_length=4_000)]
LONGEST_SERIES_NAME = 300
SeriesName = Annotated[str, Meta(max_length=LONGEST_SERIES_NAME)]
"""A series of a server's metrics, such as `http_requests_total{code="200"}`."""
SeriesValue = Annotated[float, Meta(ge=-1e300, le=1e300)]
SeriesPoint = tuple[UnixTime, SeriesValue]


class Sample(TypedDict):
    """CPU and memory of one process in one second, and of a generator's process how late it was."""

    t_s: Annotated[UnixTime, Meta(description="Unix seconds.")]
    who: Annotated[
        str,
        Meta(max_length=200, description="'generator' and its number, 'server', or a process of the server."),
    ]
    cpu: Annotated[Annotated[float, Meta(ge=0, le=1e6)] | None, Meta(description="1.0 is one core.")]
    rss_bytes: Annotated[Count | None, Meta(description="Resident memory in bytes.")]
    threads: NotRequired[
        Annotated[Annotated[int, Meta(ge=0, le=10**9)], Meta(description="Threads of the process.")]
    ]
    users: NotRequired[
        Annotated[Annotated[int, Meta(ge=0, le=10**9)], Meta(description="Users of this generator process.")]
    ]
    late_s: NotRequired[
        Annotated[
            Annotated[float, Meta(ge=0, le=1e6)] | None,
            Meta(description="Seconds that an answer waited for the generator, on average."),
        ]
    ]
    stall_s: NotRequired[
        Annotated[
            Annotated[float, Meta(ge=0, le=1e6)] | None,
            Meta(description="Longest time in a row that the generator did nothing, in seconds."),
        ]
    ]


class Event(TypedDict):
    """Something that happened besides calls."""

    t_s: NotRequired[Annotated[UnixTime, Meta(description="Unix seconds.")]]
    what: Text
    why: NotRequired[Text]


class Environment(TypedDict, total=False):
    """What the figures depend on. Absent or null: not known. Other names are allowed, and not checked."""

    arrivals: Annotated[
        str | None,
        Meta(description="As in --arrivals. Null: a closed loop, where each user waits for its answer."),
    ]
    offered_rate_per_s: Annotated[
        Rate | None,
        Meta(description="Calls a second that the arrivals ask for; the first rate, if it changes."),
    ]
    run_time_s: Annotated[Seconds | None, Meta(description="Seconds that were asked for.")]
    warm_up_s: Annotated[Seconds | None, Meta(description="Seconds that were asked for.")]
    users: Annotated[Count | None, Meta(description="Locust users.")]
    host_cores: Annotated[Count | None, Meta(description="Cores of the generator's host.")]
    processor: Annotated[str | None, Meta(description="Model of the generator's processor.")]
    shared_cores: Annotated[
        bool | None, Meta(description="Whether server and generator ran on the same cores.")
    ]
    server_cpus: Annotated[list[Count] | None, Meta(description="Cores that the server is pinned to.")]
    generator_cpus: Annotated[list[Count] | None, Meta(description="Cores that the generator may run on.")]
    command: Annotated[str | None, Meta(description="The command of the run, without secrets.")]
    options_from: Annotated[
        dict[str, str] | None,
        Meta(description="Options that were not typed, and where they were set: a file or a variable."),
    ]
    url: Annotated[str | None, Meta(description="Where the calls went.")]
    host: Annotated[str | None, Meta(description="Name of the generator's host.")]
    versions: Annotated[
        dict[str, str | None] | None, Meta(description="Of the programs that the figures depend on.")
    ]
    server: Annotated[dict[str, Any] | None, Meta(description="What is known of the server.")]
    payload: Annotated[
        dict[str, Any] | None, Meta(description="What was sent: digest, format, rows a call, bytes.")
    ]
    options: Annotated[dict[str, Any] | None, Meta(description="The options of the run.")]
    limits: Annotated[
        Annotated[list[Annotated[str, Meta(max_length=1_000)]], Meta(max_length=MOST_LIMITS)] | None,
        Meta(description="The limits that the run was judged by, as given."),
    ]
    started_s: Annotated[UnixTime | None, Meta(description="Unix seconds.")]
    load_ended_s: Annotated[
        UnixTime | None, Meta(description="Unix seconds: no call was sent any more, and none came due.")
    ]
    stopped_s: Annotated[UnixTime | None, Meta(description="Unix seconds.")]
