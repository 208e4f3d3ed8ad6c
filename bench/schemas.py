"""The shipped schema files, from the types that the files are read and written by: `make schemas`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from scorebench.recordings.form import Head, RecordingForm
from scorebench.recordings.types import Environment
from scorebench.report.forms.capacity import CapacityForm
from scorebench.report.forms.comparison import ComparisonForm
from scorebench.report.forms.matrix import MatrixForm
from scorebench.report.forms.soak import SoakForm
from scorebench.report.forms.summary import SummaryForm
from scorebench.report.forms.sweep import SweepForm
from scorebench.report.forms.versus import VersusForm

FOLDER = Path(__file__).resolve().parents[1] / "src" / "scorebench" / "schemas"
FORMS: dict[str, type[msgspec.Struct]] = {
    "recording": RecordingForm,
    "summary": SummaryForm,
    "capacity": CapacityForm,
    "comparison": ComparisonForm,
    "matrix": MatrixForm,
    "sweep": SweepForm,
    "soak": SoakForm,
    "versus": VersusForm,
}
ENVIRONMENT = "Environment"


def schema(name: str) -> dict[str, Any]:
    """A file's schema, of draft 2020-12."""
    (root, _), parts = msgspec.json.schema_components([FORMS[name], Environment])
    top = parts.pop(root["$ref"].rpartition("/")[2])
    if name == "recording":
        top["required"] = list(Head.__struct_fields__)
    if "environment" in top["properties"]:
        described = {"description": top["properties"]["environment"]["description"]}
        top["properties"]["environment"] = {"$ref": f"#/$defs/{ENVIRONMENT}", **described}
    else:
        del parts[ENVIRONMENT]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    tidy: dict[str, Any] = _tidied({**head, **top, "title": f"scorebench {name}, format 1", "$defs": parts})
    return tidy


def _tidied(part: Any) -> Any:
    """Docstrings without their indent; no pattern beside the words that it allows."""
    if isinstance(part, list):
        return [_tidied(inner) for inner in part]
    if not isinstance(part, dict):
        return inspect.cleandoc(part) if isinstance(part, str) else part
    kept = {key: value for key, value in part.items() if not (key == "pattern" and "enum" in part)}
    return {key: _tidied(value) for key, value in kept.items()}


def text(name: str) -> str:
    """The text of its file."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in FORMS:
        (FOLDER / f"{name}.schema.json").write_text(text(name), encoding="utf-8")
