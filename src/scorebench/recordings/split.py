"""What a process notes of each call with --timings, as columns. `parts` turns it into seconds; no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHASES_PER_CALL = 5
"""name, connect and tls in seconds; all sent and first byte on the clock of `Calls`' times, or 0."""


@dataclass(frozen=True, slots=True)
class Split:
    """Of each call of a batch: its phases, and the `Server-Timing` of its answer as it came."""

    phases: NDArray[np.float64]
    server_timings: NDArray[np.object_]

    def select(self, mask: NDArray[np.bool_]) -> Split:
        """Of the calls where `mask` is true."""
        return Split(self.phases[mask], self.server_timings[mask])


def split_of(phases: Sequence[float], server_timings: Sequence[bytes], epoch_s: float) -> Split:
    """What a process noted of a batch, `PHASES_PER_CALL` numbers each; `epoch_s` makes Unix time of them."""
    table = np.array(phases, dtype=np.float64).reshape(-1, PHASES_PER_CALL)
    table[:, 3:] += np.where(table[:, 3:] > 0, epoch_s, 0.0)
    headers = np.empty(len(server_timings), dtype=object)
    headers[:] = server_timings
    return Split(table, headers)
