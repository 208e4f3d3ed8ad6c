"""Types that several files share. Knows JSON's values; nothing of how figures are computed."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from scorebench.figures.percentiles import QUANTILES

Figure = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Whole = Annotated[int, Meta(ge=0)]
Bounds = Annotated[
    list[Figure],
    Meta(
        min_length=2,
        max_length=2,
        description="[low, high]: the true value lies between with 99 % certainty.",
    ),
]
_NAMES = list(QUANTILES)
Times = Annotated[
    dict[str, Figure | None],
    Meta(extra_json_schema={"required": ["mean", "min", "max", *_NAMES]}),
]
"""Seconds by name: mean, min, max and the percentiles."""
Intervals = Annotated[
    dict[str, Bounds | None],
    Meta(
        description="Seconds, by percentile; null where too few calls support it.",
        extra_json_schema={"required": _NAMES},
    ),
]
