"""The return value of `scorebench.run`: a Summary with its verdicts and its folder. Knows no run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.figures.summary import Summary
from scorebench.verdicts.verdict import ExitCode, Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, repr=False)
class Result(Summary):
    """The figures of a run, its verdicts, and the folder that holds all of it."""

    verdict: Verdict
    folder: Path

    @classmethod
    def of(cls, summary: Summary, verdict: Verdict, folder: Path) -> Result:
        """`summary` with what belongs to it."""
        figures = {field.name: getattr(summary, field.name) for field in fields(Summary)}
        return cls(**figures, verdict=verdict, folder=folder)

    @property
    def good(self) -> bool:
        """The measurement is valid, no limit was missed, and no more calls failed than a limit allows."""
        return self.verdict.exit_code is ExitCode.GOOD

    @property
    def valid_measurement(self) -> bool:
        """Whether the figures can be trusted."""
        return self.verdict.valid

    @property
    def met(self) -> bool | None:
        """Whether every limit was met; None if there was none, or if one could not be judged."""
        return self.verdict.met

    def to_frame(self, of: str = "figures") -> pd.DataFrame:
        """What was measured as a frame; what was not is NaN. Times are seconds.

        `of`: `figures`, indexed by metric: value, unit, and the bounds of a percentile (99 % sure); `users`,
        a row a user; `seconds`, a row a second.
        """
        from scorebench.api.views import to_frame

        return to_frame(self, of, self.folder)

    def plot(self) -> Any:
        """Response and service time by percentile, as a Plotly figure (the extra `plots`)."""
        from scorebench.api.views import plot

        return plot(self)

    def _repr_html_(self) -> str:
        from scorebench.api.views import to_html

        return to_html(self, self.verdict, self.folder)

    def __str__(self) -> str:
        """The report, as the command prints it."""
        from scorebench.report import text

        return text.render(self, self.verdict).rstrip() + f"\n\nreport: {self.folder}"

    def __repr__(self) -> str:
        """In a line."""
        word = "good" if self.good else self.verdict.exit_code.name.lower().replace("_", " ")
        return f"<{type(self).__name__}: {word}, {self.valid:,} of {self.calls:,} calls valid, {self.folder}>"
