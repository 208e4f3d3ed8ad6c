"""A model with a type hint gets one value a row, whatever it is: MLflow's own model class takes the body."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorebench.errors import InputError
from scorebench.payloads.payload import encode
from scorebench.payloads.rows import rows_for
from scorebench.payloads.signature import Array, Column, ModelInfo, Object, Scalar, Signature, read_model
from tests.mlflow_reader import require_mlflow

HINTS: dict[str, list[Any]] = {
    "list[str]": ["a", "b"],
    "list[Any]": [[1, "a"], {"k": 2}],
    "list[dict[str, int]]": [{"a": 1, "b": 2}, {"c": 3}],
    "list[list[int]]": [[1, 2], [3, 4]],
    "list[Row]": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
}
MODEL = """
from typing import Any
import mlflow
import pydantic


class Row(pydantic.BaseModel):
    a: int
    b: str


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: {hint}, params=None) -> list[str]:
        return [value.model_dump_json() if isinstance(value, Row) else repr(value) for value in model_input]


mlflow.models.set_model(Echo())
"""


@pytest.mark.parametrize("hint", HINTS)
def test_each_element_is_one_value(hint: str, tmp_path: Path) -> None:
    """A JSON list, or a body under `inputs`: each element reaches the model as it is."""
    require_mlflow()
    import mlflow.pyfunc

    values = HINTS[hint]
    (tmp_path / "model.py").write_text(MODEL.format(hint=hint))
    mlflow.pyfunc.save_model(tmp_path / "m", python_model=str(tmp_path / "model.py"), pip_requirements=[])
    model = read_model(tmp_path / "m")
    assert model.signature is not None
    assert model.signature.from_type_hint
    (tmp_path / "d.json").write_text(json.dumps(values))
    rows = rows_for(tmp_path / "d.json", model, seed=1)
    (body,) = encode(rows, "inputs", rows_per_call=2, signature=model.signature).bodies
    assert json.loads(body) == {"inputs": values}
    got = mlflow.pyfunc.load_model(str(tmp_path / "m")).predict(json.loads(body)["inputs"])
    assert [json.loads(text) if hint == "list[Row]" else text for text in got] == [
        value if hint == "list[Row]" else repr(value) for value in values
    ]


def test_rows_of_a_table_are_objects_or_lists(tmp_path: Path) -> None:
    """Two columns of a CSV file are one object a row, or one list where the model takes lists."""
    (tmp_path / "d.csv").write_text("a,b\n1,2\n3,4\n")
    long = Scalar("long")
    for kind, expected in (
        (Object((Column("a", long), Column("b", long))), [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        (Scalar("any"), [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        (Array(long), [[1, 2], [3, 4]]),
    ):
        model = ModelInfo("m", Signature((Column(None, kind),), from_type_hint=True))
        assert rows_for(tmp_path / "d.csv", model, seed=1)[0].tolist() == expected


def test_a_value_of_another_kind_is_named(tmp_path: Path) -> None:
    """An object that lacks what the hint requires."""
    (tmp_path / "d.json").write_text('[{"a": 1}, {"b": 1}]')
    kind = Object((Column("a", Scalar("long")),))
    model = ModelInfo("m", Signature((Column(None, kind),), from_type_hint=True))
    with pytest.raises(
        InputError, match=r"the model's input, row 2: found \{'b': 1\}, the model takes object"
    ):
        rows_for(tmp_path / "d.json", model, seed=1)
