"""Settings → the rows, encoded: what a run sends. Knows rows and payloads; sends nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.payloads.bodies import load_bodies, whole_body
from scorebench.payloads.formats import DEFAULT_FORMAT, FORMATS, recognise_body
from scorebench.payloads.formats.record import Source
from scorebench.payloads.formats.whole import WholeForm
from scorebench.payloads.origin import Kind, Origin, origin
from scorebench.payloads.params import parse_params
from scorebench.payloads.payload import Payload, encode
from scorebench.payloads.rows import check_file, rows_for, without
from scorebench.payloads.signature import read_model
from scorebench.payloads.stream_flag import asking_for_a_stream, telling_of_streams
from scorebench.runs.progress import steps

if TYPE_CHECKING:
    import pandas as pd

    from scorebench.options.settings import Settings
    from scorebench.payloads.signature import ModelInfo


def payload_of(settings: Settings) -> Payload:
    """The bodies of a run; InputError where the data, the model or the format can't be used."""
    payload = encoded(settings)
    _check_path(settings, payload)
    payload = payload if settings.expect is None else replace(payload, answers=settings.expect)
    return asking_for_a_stream(payload) if settings.stream else telling_of_streams(payload)


def encoded(settings: Settings) -> Payload:
    """The same for whichever URL, and without what --expect and --stream make of it."""
    return _bodies_of(settings) if settings.body is not None else _made(settings)


def _check_path(settings: Settings, payload: Payload) -> None:
    """InputError for a URL without a path, where nobody takes such bodies at the one that it means."""
    for name in payload.format.split(", "):
        path = None if name not in FORMATS else FORMATS[name].path
        if path is not None and not settings.target.names_path:
            base = settings.target.base_url
            raise InputError(f"{base}: no path in it, and the bodies are {name}; expected {base}{path}")


def _bodies_of(settings: Settings) -> Payload:
    assert settings.body is not None
    params = None if settings.params is None else parse_params(settings.params)
    with steps("reading bodies", total=None, unit="bodies", quiet=settings.quiet) as step:
        payload = load_bodies(
            settings.body,
            expect=settings.expect,
            params=params,
            memory_bytes=settings.payload_memory_bytes,
            progress=step,
        )
    return replace(payload, origin=origin(Kind.BODY, settings.body))


def _made(settings: Settings) -> Payload:
    """Of rows; or the input example of a model that takes no rows."""
    if settings.data is not None:
        check_file(settings.data)  # before MLflow is loaded for a model's URI
    model = None if settings.model is None else read_model(settings.model)
    if model is not None and settings.data is None and _has_whole_example(model):
        return _whole(settings, model)
    params = None if settings.params is None else parse_params(settings.params, model)
    rows, source = rows_of(settings, model)
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
    return replace(
        payload,
        null_predictions=model is None or model.null_predictions,
        notes=tuple(_notes(settings.rows_per_call, len(rows))),
        origin=source,
    )


def _has_whole_example(model: ModelInfo) -> bool:
    """Whether the example is no table of rows, but a body by itself: a chat, or what an agent takes."""
    source = Source(_place(model), example=model.example)
    return model.example is not None and isinstance(recognise_body(source), WholeForm)


def _place(model: ModelInfo) -> str:
    return f"{model.place}: input example"


def _whole(settings: Settings, model: ModelInfo) -> Payload:
    """The model's example as it is, which no option of rows can change, and the parameters in it."""
    columns = () if model.signature is None else model.signature.columns
    inputs = [str(column.name) for column in columns]
    params = {} if settings.params is None else parse_params(settings.params, model, inputs=inputs)
    place = _place(model)
    payload = whole_body(model.example, place, params)
    asked = {
        "--format": settings.format != DEFAULT_FORMAT,
        "--rows-per-call": settings.rows_per_call != 1,
        "--rows": settings.rows is not None,
        "--drop": bool(settings.drop),
        "--label": settings.label is not None,
    }
    for flag, is_asked in asked.items():
        if is_asked:
            raise InputError(
                f"{flag}: can't change the {payload.format} body of {place}, which is sent as it is; "
                "leave it out"
            )
    return replace(payload, origin=origin(Kind.EXAMPLE, model.place))


def _notes(rows_per_call: int | None, rows: int) -> Iterator[str]:
    if rows_per_call is not None and rows_per_call > rows:
        yield f"--rows-per-call {rows_per_call}: the data has {rows:,} rows, and each call sends all of them"


def rows_of(settings: Settings, model: ModelInfo | None) -> tuple[pd.DataFrame, Origin]:
    """The rows of the data, else of the model, else those of the demo; and which of these they are."""
    if settings.data is None and model is None:
        from scorebench.models.demo_data import wine_features

        rows = without(wine_features(), settings.drop, settings.label, None, "the demo's rows")
        rows = rows if settings.rows is None else rows.head(settings.rows)
        return rows, origin(Kind.DEMO, None, columns=list(rows.columns))
    rows = rows_for(
        settings.data,
        model,
        drop=settings.drop,
        label=settings.label,
        limit=settings.rows,
        seed=settings.seed,
    )
    return rows, _origin_of(settings, model, list(rows.columns))


def _origin_of(settings: Settings, model: ModelInfo | None, columns: list[Any]) -> Origin:
    cast_by = model.place if model is not None and model.signature is not None else None
    if settings.data is not None:
        return origin(Kind.FILE, settings.data, signature_of=cast_by, columns=columns)
    assert model is not None
    kind = Kind.EXAMPLE if model.example is not None else Kind.SIGNATURE
    return origin(kind, model.place, signature_of=cast_by, columns=columns)
