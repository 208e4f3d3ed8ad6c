"""JSON + schema → the first place where they differ. Knows the part of JSON Schema that our schemas use.

The schemas in `schemas/` are written for everybody's validators (draft 2020-12); reading a recording holds it
to the same text, without a dependency for it. An unknown keyword is an error, so that none is passed over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

Schema = dict[str, Any]
Fault = str | None

ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "default", "examples"}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) is int or (type(value) is float and math.isfinite(value)),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


@cache
def load(name: str) -> Schema:
    """The schema of that name that ships with this package: `recording` or `summary`."""
    text = (files("scorebench") / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text)
    return schema


def first_fault(value: Any, schema: Schema) -> Fault:
    """One line that names the place, what was found and what was expected; None where `value` fits."""
    return next(_faults(value, schema, schema, "$"), None)


def _faults(value: Any, schema: Schema, root: Schema, place: str) -> Iterator[str]:
    for keyword, wanted in schema.items():
        if keyword in ANNOTATIONS:
            continue
        if keyword == "$ref":
            yield from _faults(value, _resolved(wanted, root), root, place)
        elif keyword == "items" and _are_whole_numbers(value, wanted, root):
            # Only the least and the greatest can be at fault, and a recording holds many whole numbers.
            for extreme in (min(value), max(value)):
                yield from _faults(extreme, wanted, root, f"{place}[{value.index(extreme)}]")
        elif keyword == "anyOf":
            faults = [next(_faults(value, one, root, place), None) for one in wanted]
            if None not in faults:
                yield str(faults[-1])
        elif keyword in _WITHIN:
            for inner, inner_schema, inner_place in _WITHIN[keyword](value, wanted, schema, place):
                yield from _faults(inner, inner_schema, root, inner_place)
        elif not _ASSERTIONS[keyword](value, wanted):
            yield f"{place}: {_said(keyword, value, wanted)}"


def _said(keyword: str, value: Any, wanted: Any) -> str:
    if keyword == "required":
        return f"found no {', '.join(name for name in wanted if name not in value)}; expected it"
    return f"found {_shown(value)}; expected {keyword} {_shown(wanted)}"


def _resolved(reference: str, root: Schema) -> Schema:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    resolved: Schema = found
    return resolved


def _are_whole_numbers(value: Any, wanted: Schema | bool, root: Schema) -> bool:
    """Whether a list holds nothing else, and is to hold nothing else, but for bounds."""
    if not isinstance(value, list) or set(map(type, value)) != {int} or isinstance(wanted, bool):
        return False
    resolved = _resolved(wanted["$ref"], root) if "$ref" in wanted else wanted
    return resolved.keys() <= {"type", "minimum", "maximum", *ANNOTATIONS}


def _is_type(value: Any, names: str | list[str]) -> bool:
    if isinstance(names, str):
        return _TYPES[names](value)
    return any(_TYPES[name](value) for name in names)


def _is_number(value: Any) -> bool:
    return _TYPES["number"](value)


_ASSERTIONS: dict[str, Callable[[Any, Any], bool]] = {
    "type": _is_type,
    "const": lambda value, wanted: value == wanted and type(value) is type(wanted),
    "enum": lambda value, wanted: value in wanted,
    "minimum": lambda value, least: not _is_number(value) or value >= least,
    "maximum": lambda value, most: not _is_number(value) or value <= most,
    "maxLength": lambda value, most: not isinstance(value, str) or len(value) <= most,
    "minItems": lambda value, least: not isinstance(value, list) or len(value) >= least,
    "maxItems": lambda value, most: not isinstance(value, list) or len(value) <= most,
    "required": lambda value, names: not isinstance(value, dict) or all(name in value for name in names),
}

Inner = Iterator[tuple[Any, Schema, str]]


def _properties(value: Any, schemas: dict[str, Schema], _: Schema, place: str) -> Inner:
    if isinstance(value, dict):
        for name, schema in schemas.items():
            if name in value:
                yield value[name], schema, f"{place}.{name}"


def _additional(value: Any, wanted: Schema | bool, schema: Schema, place: str) -> Inner:
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name in value.keys() - known.keys():
            yield value[name], _as_schema(wanted), f"{place}.{name[:40]}"


def _names(value: Any, wanted: Schema, _: Schema, place: str) -> Inner:
    if isinstance(value, dict):
        for name in value:
            yield name, wanted, f"{place}, a name"


def _prefix(value: Any, schemas: list[Schema], _: Schema, place: str) -> Inner:
    if isinstance(value, list):
        for index, (item, schema) in enumerate(zip(value, schemas, strict=False)):
            yield item, schema, f"{place}[{index}]"


def _items(value: Any, wanted: Schema | bool, schema: Schema, place: str) -> Inner:
    if isinstance(value, list):
        first = len(schema.get("prefixItems", ()))
        for index, item in enumerate(islice(value, first, None), first):
            yield item, _as_schema(wanted), f"{place}[{index}]"


_WITHIN: dict[str, Callable[[Any, Any, Schema, str], Inner]] = {
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "prefixItems": _prefix,
    "items": _items,
}


def _as_schema(wanted: Schema | bool) -> Schema:
    """True takes anything, False nothing."""
    if isinstance(wanted, bool):
        return {} if wanted else {"enum": []}
    return wanted


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"
