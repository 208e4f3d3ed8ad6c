"""Recorded traffic → its bodies, and the times at which they came. Knows what SageMaker and Databricks write.

Sources: SageMaker's data capture ("Capture data from real-time endpoint"); the inference tables of the model
serving of Databricks and of its AI Gateway, whose times are called `timestamp_ms` and `request_time`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from scorebench.errors import InputError
from scorebench.payloads import parquet_size
from scorebench.payloads.formats import suffix_of_type
from scorebench.payloads.formats.csv_form import CSV
from scorebench.payloads.formats.json_frames import SPLIT

_REQUEST, _TIMES = "request", ("request_time", "timestamp_ms")
_JSON = SPLIT.suffix
_ENCODINGS = {"CSV": CSV.suffix}


@dataclass(frozen=True)
class Ready:
    """One body, as somebody wrote it down. Errors about it begin with `place`."""

    place: str
    body: bytes
    content_type: str | None = None
    """None: the one that its form has."""
    kind: str = ".json"
    """The suffix of a file that would hold it."""
    value: Any = None
    """Its JSON, where that is parsed already."""
    path: Path | None = None
    """The file that holds it and nothing else."""
    at_s: float | None = None
    """When it came, in Unix seconds; None where nobody noted that."""


def is_sagemaker(value: Any) -> bool:
    """Whether a line of JSON is one of SageMaker's data capture."""
    return isinstance(value, Mapping) and "captureData" in value


def of_sagemaker(value: Mapping[str, Any], place: str) -> Ready:
    """The request that a line of a data capture holds, and its time, which is a whole second.

    Raises InputError where the line lacks one of them.
    """
    captured, metadata = value["captureData"], value.get("eventMetadata")
    asked = captured.get("endpointInput") if isinstance(captured, Mapping) else None
    if not isinstance(asked, Mapping) or not isinstance(asked.get("data"), str):
        raise InputError(
            f"{place}: found a data capture without endpointInput, the request; capture the input too"
        )
    content_type = asked.get("observedContentType")
    encoding = asked.get("encoding")
    return Ready(
        place,
        _decoded(asked["data"], encoding, place),
        content_type if isinstance(content_type, str) else None,
        _kind(content_type if isinstance(content_type, str) else "", encoding),
        at_s=_seconds(metadata.get("inferenceTime") if isinstance(metadata, Mapping) else None, place),
    )


def _decoded(data: str, encoding: Any, place: str) -> bytes:
    if encoding != "BASE64":
        return data.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise InputError(f"{place}: found data that is no base64 ({error}); correct the line") from None


def _kind(content_type: str, encoding: Any) -> str:
    """By the content type, or else by SageMaker's encoding, which is CSV, JSON or BASE64."""
    return suffix_of_type(content_type) if content_type.strip() else _ENCODINGS.get(encoding, _JSON)


def _seconds(text: Any, place: str) -> float:
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InputError(
            f"{place}: found inferenceTime {text!r:.40}; expected a time such as 2024-01-02T03:04:05Z"
        ) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def is_inference_table(path: Path) -> bool:
    """Whether a Parquet file has the columns of an inference table: a request, and its time."""
    names = _opened(path).schema_arrow.names
    return _REQUEST in names and any(name in names for name in _TIMES)


def of_inference_table(path: Path) -> Iterator[Ready | None]:
    """A request a row, with its time; None for a row without one: Databricks leaves out large bodies.

    Raises InputError for columns of other types than Databricks gives them.
    """
    try:
        yield from _requests(path)
    except parquet_size.unreadable() as error:
        raise _no_parquet(path, error) from None


def _requests(path: Path) -> Iterator[Ready | None]:
    import pyarrow as pa

    file = _opened(path)
    parquet_size.check(str(path), path.stat().st_size, str(path))
    time = next(name for name in _TIMES if name in file.schema_arrow.names)
    row = 0
    for batch in file.iter_batches(columns=[_REQUEST, time]):
        requests, times_s = batch.column(_REQUEST), _column_s(batch.column(time), path)
        if not (pa.types.is_string(requests.type) or pa.types.is_large_string(requests.type)):
            _refuse(path, _REQUEST, requests.type, "text")
        for text, at_s in zip(requests.to_pylist(), times_s, strict=True):
            row += 1
            place = f"{path} row {row:,}"
            if text is not None and at_s is None:
                raise InputError(f"{place}: found a request without {time}; drop the row")
            yield None if text is None else Ready(place, text.encode(), at_s=at_s)


def _column_s(column: Any, path: Path) -> list[float | None]:
    """Times of Arrow, or whole milliseconds, as Unix seconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        whole_us = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).to_pylist()
        return [None if us is None else us / 1e6 for us in whole_us]
    if not pa.types.is_integer(column.type):
        _refuse(path, " or ".join(_TIMES), column.type, "times, or whole milliseconds")
    return [None if ms is None else ms / 1e3 for ms in column.to_pylist()]


def _refuse(path: Path, name: str, found: Any, expected: str) -> NoReturn:
    raise InputError(f"{path}: column {name} holds {found}, expected {expected}; convert it")


def _opened(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except parquet_size.unreadable() as error:
        raise _no_parquet(path, error) from None


def _no_parquet(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())
    return InputError(f"{path}: found no Parquet file: {reason:.200}; write it again")
