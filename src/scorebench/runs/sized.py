"""Bodies of any size, made of the rows that a run would send. Knows rows and formats; sends nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from scorebench.errors import InputError
from scorebench.payloads.params import parse_params
from scorebench.payloads.payload import encode
from scorebench.payloads.signature import read_model
from scorebench.runs.prepare import rows_of

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.options.settings import Settings
    from scorebench.payloads.payload import Payload
    from scorebench.payloads.signature import ModelInfo

SAMPLE = 64
"""The size of a row is the mean of this many."""


class Sized:
    """The rows of a run, as bodies of as many rows as are asked for. InputError where it has none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _model(self) -> ModelInfo | None:
        return None if self._settings.model is None else read_model(self._settings.model)

    @cached_property
    def _rows(self) -> pd.DataFrame:
        return rows_of(self._settings, self._model)[0].reset_index(drop=True)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self._rows)

    @property
    def columns(self) -> list[str]:
        """Their names, in the order of the data."""
        return [str(name) for name in self._rows.columns]

    def body(self, rows: int) -> Payload:
        """One body of so many rows; those of the data come again where it has fewer."""
        import numpy as np

        settings, model = self._settings, self._model
        payload = encode(
            self._rows.iloc[np.arange(rows) % len(self._rows)],
            settings.format,
            rows_per_call=rows,
            params=None if settings.params is None else parse_params(settings.params, model),
            signature=None if model is None else model.signature,
        )
        null_predictions = model is None or model.null_predictions
        return replace(payload, null_predictions=null_predictions, answers=settings.expect or payload.answers)

    def rows_in(self, size_bytes: int) -> int:
        """As many rows as make a body of about this size; at least one. InputError: the data has fewer."""
        one, more = (len(self.body(rows).bodies[0]) for rows in (1, 1 + SAMPLE))
        rows = max(1, 1 + round((size_bytes - one) * SAMPLE / max(more - one, 1)))
        if rows > self.rows:
            largest = len(self.body(self.rows).bodies[0])
            raise InputError(
                f"--body-size: {size_bytes:,} bytes as {self._settings.format} are {rows:,} rows, and the "
                f"data has {self.rows:,}, which make {largest:,} bytes; give more data, or smaller sizes"
            )
        return rows
