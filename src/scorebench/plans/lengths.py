"""How long calls take, as a distribution. Pure arithmetic: knows neither queues nor recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Lengths:
    """Lengths in seconds, ascending and above 0, and the share of calls with each; the shares add up to 1."""

    values_s: NDArray[np.float64] = field(compare=False, repr=False)
    shares: NDArray[np.float64] = field(compare=False, repr=False)

    @classmethod
    def counted(cls, values_s: NDArray[np.float64], counts: NDArray[np.int64]) -> Lengths:
        """Of calls that were counted, at least one of them; a length of 0 is taken for a microsecond."""
        return cls(np.maximum(values_s, 1e-6), counts / counts.sum())

    @classmethod
    def together(cls, several: Sequence[Lengths]) -> Lengths:
        """Of all of these, each with the same weight."""
        values_s = np.concatenate([one.values_s for one in several])
        shares = np.concatenate([one.shares for one in several]) / len(several)
        order = np.argsort(values_s, kind="stable")
        return cls(values_s[order], shares[order])

    @cached_property
    def mean_s(self) -> float:
        return float(self.values_s @ self.shares)

    @cached_property
    def variation(self) -> float:
        """The squared coefficient of variation: variance by mean squared; 1 for exponential lengths."""
        return float((self.values_s / self.mean_s - 1) ** 2 @ self.shares)

    def percentile(self, q: float) -> float:
        """The least length that at least `q` of the calls don't exceed."""
        upto = np.cumsum(self.shares)
        return float(self.values_s[min(int(np.searchsorted(upto, q * upto[-1])), len(upto) - 1)])

    def scaled(self, mean_s: float) -> Lengths:
        """The same distribution, with another mean."""
        return Lengths(self.values_s * (mean_s / self.mean_s), self.shares)
