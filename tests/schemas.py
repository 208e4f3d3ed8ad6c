"""The schema files that ship with the package, and what everybody's validator says by them."""

from __future__ import annotations

import importlib
import json
from importlib.resources import files
from typing import Any


def schema(name: str) -> dict[str, Any]:
    """`recording`, `summary`, `capacity`, `comparison` or `matrix`."""
    text = (files("scorebench") / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def validator(name: str) -> Any:
    """By draft 2020-12."""
    return importlib.import_module("jsonschema").Draft202012Validator(schema(name))
