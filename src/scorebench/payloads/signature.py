"""What a model takes: the signature and the input example that were saved with it.

Knows MLmodel files; nothing of rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorebench.errors import InputError
from scorebench.payloads.fetching import fetch_text, is_uri

SCALARS = frozenset({"boolean", "integer", "long", "float", "double", "string", "binary", "datetime", "any"})
MLMODEL = "MLmodel"
_MAX_CHARACTERS = 10_000_000
_JSON_KINDS = "biufMUSO"
"""NumPy's letters for booleans, whole numbers, floats, times, text and objects."""


@dataclass(frozen=True)
class Scalar:
    """One of SCALARS; `any` takes whatever JSON can hold."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Array:
    """A list of any length. Spark's vectors are arrays of doubles."""

    items: Type

    def __str__(self) -> str:
        return f"array of {self.items}"


@dataclass(frozen=True)
class Map:
    """Text keys, and values of one type."""

    values: Type

    def __str__(self) -> str:
        return f"map of {self.values}"


@dataclass(frozen=True)
class Object:
    """Named properties, each of its own type."""

    properties: tuple[Column, ...]

    def __str__(self) -> str:
        return f"object of {', '.join(f'{p.name} {p.type}' for p in self.properties)}"


@dataclass(frozen=True)
class Tensor:
    """An n-dimensional array; -1 is any length, first of all that of the batch."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"tensor of {self.dtype} {list(self.shape)}"


Type = Scalar | Array | Map | Object | Tensor


@dataclass(frozen=True)
class Column:
    """An input of the model, or a property of an object. Unnamed inputs go by their place.

    The name of an input may be a whole number, as a DataFrame's may.
    """

    name: str | int | None
    type: Type
    required: bool = True


@dataclass(frozen=True)
class Signature:
    """The model's inputs: all columns or all tensors, all named or all unnamed."""

    columns: tuple[Column, ...]
    from_type_hint: bool = False
    """Made from the Python model's type hint: MLflow then takes `inputs` alone, unparsed."""

    @property
    def is_named(self) -> bool:
        return self.columns[0].name is not None

    @property
    def is_tensor(self) -> bool:
        return isinstance(self.columns[0].type, Tensor)


@dataclass(frozen=True)
class Param:
    """An inference parameter that the model takes beside its rows: a scalar, a list of them, or an object."""

    name: str
    type: Type
    is_list: bool = False


@dataclass(frozen=True)
class ModelInfo:
    """What was saved with a model; `example` is parsed JSON, in one of MLflow's forms or older ones."""

    place: str
    signature: Signature | None
    example: Any = None
    params: tuple[Param, ...] = ()
    null_predictions: bool = True
    """False where the signature names outputs and all of them are required."""


def read_model(model: str | Path) -> ModelInfo:
    """The signature and input example of a model directory, or of a URI that MLflow can fetch.

    A directory is read without MLflow; models:/, runs:/, s3:// … need the extra `mlflow`.
    Raises InputError where there is no model, or what is saved with it cannot be understood.
    """
    place, saved = _place(model), read_mlmodel(model)
    try:
        extras = _params(saved), _null_predictions(saved)
        return ModelInfo(place, _signature(saved), _example(place, saved), *extras)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{place}/{MLMODEL}: found a signature or example that cannot be read "
            f"({type(error).__name__}: {_one_line(error)}), expected what MLflow saves; save the model again"
        ) from None


def read_mlmodel(model: str | Path) -> Mapping[str, Any]:
    """All that the MLmodel file of a model directory or URI says; InputError as `read_model`."""
    place = _place(model)
    text = read_text(place, MLMODEL)
    if text is None:
        raise InputError(
            f"{place}: no MLmodel file there; expected a model directory or URI that MLflow saved "
            "(`scorebench models make sklearn DIR` makes one)"
        )
    if len(text) > _MAX_CHARACTERS:
        raise InputError(f"{place}/{MLMODEL}: {len(text)} characters; an MLmodel file has some thousand")
    try:
        return _yaml(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{place}/{MLMODEL}: cannot be read as YAML ({type(error).__name__}: {_one_line(error)}); "
            "save the model again"
        ) from None


def _place(model: str | Path) -> str:
    return str(model).rstrip("/")


def read_text(model: str | Path, name: str) -> str | None:
    """The text of a file of the model; None where a directory has none of that name."""
    place = _place(model)
    if is_uri(place):
        return fetch_text(place, name)
    path = Path(place, name)
    try:
        return path.read_text(encoding="utf-8") if path.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: found nothing readable ({error}), expected text; check the file") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _yaml(text: str) -> Mapping[str, Any]:
    import yaml

    try:
        saved = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe)
    except yaml.YAMLError as error:
        raise ValueError(_one_line(error)) from None
    if not isinstance(saved, Mapping):
        raise TypeError(f"found a {type(saved).__name__} where keys and values belong")
    return saved


def _signature(saved: Mapping[str, Any]) -> Signature | None:
    inputs = (saved.get("signature") or {}).get("inputs")
    columns = tuple(map(parse_column, json.loads(inputs))) if inputs else ()
    if not columns:
        return None
    names = [column.name for column in columns]
    if len(set(names)) < len(names) and any(name is not None for name in names):
        raise ValueError("two inputs of one name, or some without a name")
    if len({isinstance(column.type, Tensor) for column in columns}) > 1:
        raise ValueError("tensors and columns mixed")
    return Signature(columns, from_type_hint=bool(saved.get("is_signature_from_type_hint")))


def _params(saved: Mapping[str, Any]) -> tuple[Param, ...]:
    text = (saved.get("signature") or {}).get("params")
    return tuple(map(_param, json.loads(text))) if text else ()


def _param(saved: Mapping[str, Any]) -> Param:
    kind = _type({**saved, "type": saved.get("type") or saved["dtype"]})  # `dtype` in older models
    return Param(str(saved["name"]), kind, saved.get("shape") is not None)


def _null_predictions(saved: Mapping[str, Any]) -> bool:
    outputs = json.loads((saved.get("signature") or {}).get("outputs") or "[]")
    return not outputs or any(output.get("required") is False for output in outputs)


def _tensor(dtype: str, shape: tuple[int, ...]) -> Tensor:
    import numpy as np

    if np.dtype(dtype).kind not in _JSON_KINDS:
        raise ValueError(f"tensors of {dtype} have no form in JSON")
    if not shape or any(n < -1 or n == 0 for n in shape):
        raise ValueError(f"a tensor of shape {list(shape)} holds no rows")
    return Tensor(dtype, shape)


def _example(place: str, saved: Mapping[str, Any]) -> Any:
    info = saved.get("saved_input_example_info") or {}
    if not info:
        return None
    # The names that MLflow gives, not those in the file: a model must not choose what is read.
    name = "serving_input_example.json" if info.get("serving_input_path") else "input_example.json"
    text = read_text(place, name)
    return None if text is None else json.loads(text)


def parse_column(saved: Mapping[str, Any]) -> Column:
    """An input as the signature's JSON has it: `{"name": "pH", "type": "double", "required": true}`."""
    return Column(saved.get("name"), _type(saved), saved.get("required") is not False)


def _type(saved: Mapping[str, Any]) -> Type:
    kind = saved["type"]
    if kind == "tensor":
        spec = saved["tensor-spec"]
        return _tensor(str(spec["dtype"]), tuple(map(int, spec["shape"])))
    if kind == "array":
        return Array(_type(saved["items"]))
    if kind == "sparkml_vector":
        return Array(Scalar("double"))
    if kind == "map":
        return Map(_type(saved["values"]))
    if kind == "object":
        return Object(
            tuple(
                Column(name, _type(item), item.get("required") is not False)
                for name, item in saved["properties"].items()
            )
        )
    if kind not in SCALARS:
        raise ValueError(f"unknown column type {kind!r}")
    return Scalar(kind)
