"""Settings → the rows, encoded: what a run sends. Knows rows and payloads; sends nothing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scorebench.payloads.params import parse_params
from scorebench.payloads.payload import Payload, encode, load_body
from scorebench.payloads.rows import rows_for, without
from scorebench.payloads.signature import read_model
from scorebench.runs.progress import steps

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.options.settings import Settings
    from scorebench.payloads.signature import ModelInfo


def payload_of(settings: Settings) -> Payload:
    """The bodies of a run; InputError where the data, the model or the format can't be used."""
    if settings.body is not None:
        return load_body(settings.body)
    model = None if settings.model is None else read_model(settings.model)
    params = None if settings.params is None else parse_params(settings.params, model)
    rows = rows_of(settings, model)
    with steps("encoding payloads", total=len(rows), unit="rows", quiet=settings.quiet) as step:
        payload = encode(
            rows,
            settings.format,
            rows_per_call=settings.rows_per_call or len(rows),
            params=params,
            memory_bytes=settings.payload_memory_bytes,
            signature=None if model is None else model.signature,
            progress=step,
        )
    return replace(payload, null_predictions=model is None or model.null_predictions)


def rows_of(settings: Settings, model: ModelInfo | None) -> pd.DataFrame:
    """The rows of the data, else of the model, else those of the demo."""
    if settings.data is None and model is None:
        from scorebench.models.demo_data import wine_features

        rows = without(wine_features(), settings.drop, settings.label, None, "the demo's rows")
        return rows if settings.rows is None else rows.head(settings.rows)
    return rows_for(
        settings.data,
        model,
        drop=settings.drop,
        label=settings.label,
        limit=settings.rows,
        seed=settings.seed,
    )
