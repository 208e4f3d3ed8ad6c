"""What a model takes is read from what MLflow saved with it, and from a directory without MLflow."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebench.errors import InputError
from scorebench.payloads.fetching import is_uri
from scorebench.payloads.signature import (
    Array,
    Column,
    Map,
    Object,
    Scalar,
    Signature,
    Tensor,
    parse_column,
    read_model,
)
from tests.mlflow_reader import require_mlflow


def _save(directory: Path, inputs: Any, **more: Any) -> Path:
    """An MLmodel file as MLflow writes it: YAML, in which the inputs are JSON text."""
    directory.mkdir(exist_ok=True)
    saved = {"flavors": {}, "signature": {"inputs": inputs if inputs is None else json.dumps(inputs)}, **more}
    (directory / "MLmodel").write_text(json.dumps(saved))  # JSON is YAML
    return directory


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        ({"type": "double", "name": "pH", "required": True}, Column("pH", Scalar("double"))),
        ({"type": "long"}, Column(None, Scalar("long"))),
        ({"type": "string", "name": "s", "required": False}, Column("s", Scalar("string"), required=False)),
        ({"type": "array", "items": {"type": "long"}, "name": "a"}, Column("a", Array(Scalar("long")))),
        ({"type": "sparkml_vector", "name": "v"}, Column("v", Array(Scalar("double")))),
        ({"type": "map", "values": {"type": "binary"}, "name": "m"}, Column("m", Map(Scalar("binary")))),
        (
            {"type": "object", "properties": {"k": {"type": "any", "required": False}}, "name": "o"},
            Column("o", Object((Column("k", Scalar("any"), required=False),))),
        ),
        (
            {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28, 28]}},
            Column(None, Tensor("float32", (-1, 28, 28))),
        ),
    ],
)
def test_every_type_is_parsed(saved: dict[str, Any], expected: Column) -> None:
    """One line of the signature's JSON is one column."""
    assert parse_column(saved) == expected


def test_types_are_told_in_words() -> None:
    """As they stand in errors."""
    assert str(Array(Map(Scalar("long")))) == "array of map of long"
    assert str(Object((Column("k", Scalar("any")),))) == "object of k any"
    assert str(Tensor("float32", (-1, 3))) == "tensor of float32 [-1, 3]"


def test_mlflows_own_signatures_are_read(tmp_path: Path) -> None:
    """A model that MLflow saved: every type it infers, its example, optional columns."""
    require_mlflow()
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType, DataType, Property
    from mlflow.types.schema import Array as MlArray
    from mlflow.types.schema import Map as MlMap
    from mlflow.types.schema import Object as MlObject

    scalars = [ColSpec(kind.name, kind.name, required=kind.name != "string") for kind in DataType]
    nested = [
        ColSpec(MlArray("long"), "array"),
        ColSpec(MlMap("double"), "map"),
        ColSpec(MlObject([Property("p", "string", required=False)]), "object"),
        ColSpec(AnyType(), "whatever"),
    ]
    Model(signature=ModelSignature(Schema(scalars + nested))).save(str(tmp_path / "MLmodel"))
    info = read_model(tmp_path)
    assert info.signature is not None
    assert [(c.name, str(c.type), c.required) for c in info.signature.columns] == [
        *((kind.name, kind.name, kind.name != "string") for kind in DataType),
        ("array", "array of long", True),
        ("map", "map of double", True),
        ("object", "object of p string", True),
        ("whatever", "any", True),
    ]
    assert info.signature.is_named
    assert not info.signature.is_tensor
    assert info.example is None


def test_tensors_of_mlflow_are_read(tmp_path: Path) -> None:
    """An ndarray gives one unnamed tensor, a dict of them named ones; -1 is the batch."""
    require_mlflow()
    from mlflow.models import Model, infer_signature

    signature = infer_signature(np.zeros((2, 28, 28), "float32"))
    Model(signature=signature).save(str(tmp_path / "MLmodel"))
    assert read_model(tmp_path).signature == Signature((Column(None, Tensor("float32", (-1, 28, 28))),))
    named = infer_signature({"a": np.zeros((2, 3)), "b": np.zeros(2, "int64")})
    Model(signature=named).save(str(tmp_path / "MLmodel"))
    assert read_model(tmp_path).signature == Signature(
        (Column("a", Tensor("float64", (-1, 3))), Column("b", Tensor("int64", (-1,))))
    )


def test_the_serving_example_is_preferred(tmp_path: Path) -> None:
    """Since MLflow 2.17 a ready body lies beside the example; older models have the example alone."""
    info = {"artifact_path": "input_example.json", "type": "dataframe"}
    _save(tmp_path, None, saved_input_example_info=info)
    (tmp_path / "input_example.json").write_text('{"columns": ["a"], "data": [[1]]}')
    (tmp_path / "serving_input_example.json").write_text('{"inputs": [1]}')
    assert read_model(tmp_path).example == {"columns": ["a"], "data": [[1]]}
    _save(
        tmp_path, None, saved_input_example_info={**info, "serving_input_path": "serving_input_example.json"}
    )
    assert read_model(tmp_path).example == {"inputs": [1]}


def test_a_model_chooses_no_file_of_its_own(tmp_path: Path) -> None:
    """A path in the MLmodel file does not lead out of the model."""
    (tmp_path / "secret.json").write_text('{"inputs": ["secret"]}')
    info = {"artifact_path": "../secret.json", "serving_input_path": "../secret.json"}
    assert read_model(_save(tmp_path / "m", None, saved_input_example_info=info)).example is None


@pytest.mark.parametrize(
    ("outputs", "null_predictions"),
    [
        (None, True),
        ([{"type": "double", "required": True}], False),
        ([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}], False),
        ([{"type": "long", "name": "a"}, {"type": "string", "name": "b", "required": False}], True),
    ],
)
def test_a_signature_says_whether_a_prediction_may_be_null(
    tmp_path: Path, outputs: Any, null_predictions: bool
) -> None:
    """Without outputs nobody knows; an output that is not required may be null."""
    directory = _save(tmp_path, [{"type": "long"}])
    saved = json.loads((directory / "MLmodel").read_text())
    saved["signature"]["outputs"] = outputs if outputs is None else json.dumps(outputs)
    (directory / "MLmodel").write_text(json.dumps(saved))
    assert read_model(directory).null_predictions is null_predictions


def test_a_model_may_have_neither(tmp_path: Path) -> None:
    """No signature and no example are None, not an error: data may be given."""
    info = read_model(_save(tmp_path, None))
    assert (info.signature, info.example) == (None, None)
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    assert read_model(tmp_path).signature is None


@pytest.mark.parametrize(
    "inputs",
    [
        "not json",
        [{"name": "a"}],
        [{"type": "quaternion", "name": "a"}],
        [{"type": "array", "name": "a"}],
        [{"type": "double", "name": "a"}, {"type": "double", "name": "a"}],
        [{"type": "double", "name": "a"}, {"type": "double"}, {"type": "long"}],
        [{"type": "double"}, {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1]}}],
        [{"type": "tensor", "tensor-spec": {"dtype": "complex64", "shape": [-1]}}],
        [{"type": "tensor", "tensor-spec": {"dtype": "nonsense", "shape": [-1]}}],
        [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": []}}],
        [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, -2]}}],
        [1],
        {"type": "double"},
    ],
)
def test_a_broken_signature_is_refused(inputs: Any, tmp_path: Path) -> None:
    """One line that begins with the file."""
    _save(tmp_path, inputs)
    if inputs == "not json":
        (tmp_path / "MLmodel").write_text("signature: {inputs: 'not json'}")
    with pytest.raises(InputError, match="found a signature or example that cannot be read") as raised:
        read_model(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}/MLmodel: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["a: [", "- 1\n", "just text", "", "!!python/object/apply:os.system ['true']"]
)
def test_an_mlmodel_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    """YAML that is broken, no mapping, or that would build objects of Python."""
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_model(tmp_path)


def test_binary_rubbish_is_refused(tmp_path: Path) -> None:
    """A file that is not text."""
    (tmp_path / "MLmodel").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="found nothing readable"):
        read_model(tmp_path)


def test_a_signature_nested_without_end_is_refused(tmp_path: Path) -> None:
    """Ten thousand arrays in one another are an attack, not a model."""
    nested = '{"type": "array", "items": ' * 10_000 + '{"type": "long"}' + "}" * 10_000
    (tmp_path / "MLmodel").write_text(f"signature: {{inputs: '[{nested}]'}}")
    with pytest.raises(InputError, match="RecursionError"):
        read_model(tmp_path)


def test_no_model_is_refused(tmp_path: Path) -> None:
    """A directory without an MLmodel file, and one that is not there."""
    for place in (tmp_path, tmp_path / "gone"):
        with pytest.raises(InputError, match="no MLmodel file there; expected a model directory or URI"):
            read_model(place)


@pytest.mark.parametrize(
    ("model", "uri"),
    [
        ("models:/wine/1", True),
        ("runs:/abc/model", True),
        ("s3://b/m", True),
        ("a/b", False),
        ("C:/m", False),
    ],
)
def test_uris_are_told_from_paths(model: str, uri: bool) -> None:
    """What MLflow has to fetch, and what is a folder."""
    assert is_uri(model) is uri


def test_a_registered_model_is_fetched_by_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """models:/ and runs:/ give the signature and the example that were logged.

    Into files: a new database goes through all of MLflow's migrations first, which takes up to a minute.
    """
    require_mlflow()
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(f"file://{tmp_path}/store")
    mlflow.set_registry_uri(f"file://{tmp_path}/store")
    example = pd.DataFrame({"a": [1.5, 2.5]})
    try:
        with mlflow.start_run() as run:
            mlflow.pyfunc.log_model(
                name="model",
                python_model=lambda model_input: model_input["a"],
                input_example=example,
                registered_model_name="wine",
                pip_requirements=[],
            )
        for uri in ("models:/wine/1", f"runs:/{run.info.run_id}/model"):
            info = read_model(uri)
            assert info.signature == Signature((Column("a", Scalar("double")),))
            assert info.example == {"dataframe_split": {"columns": ["a"], "data": [[1.5], [2.5]]}}
        with pytest.raises(
            InputError, match=r"models:/wine/7: MLflow could not fetch MLmodel: .*check the URI"
        ):
            read_model("models:/wine/7")
    finally:
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)


def test_a_registry_that_is_brought_up_to_date_logs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """MLflow creates its tables at the first question, and logs that at INFO (its store/db/utils.py)."""
    require_mlflow()
    monkeypatch.chdir(tmp_path)
    Path("mlflow.db").touch()
    logger = logging.getLogger("mlflow.store.db.utils")
    monkeypatch.setattr(logger, "handlers", [caplog.handler])  # MLflow's loggers hand nothing on to the root

    def ask(_uri: str) -> str:
        logger.info("Creating initial MLflow database tables...")
        raise RuntimeError("Registered Model with name=churn not found")

    monkeypatch.setattr("mlflow.artifacts.load_text", ask)
    for uri in ("models:/churn/9", "models:/churn"):
        with caplog.at_level(logging.INFO, logger=logger.name), pytest.raises(InputError) as refused:
            read_model(uri)
        said = "MLflow could not fetch MLmodel: Registered Model with name=churn not found; check the URI"
        assert str(refused.value) == f"{uri}: {said}"
    assert not caplog.records


def test_a_directory_needs_no_mlflow(tmp_path: Path) -> None:
    """With MLflow's import forbidden a directory is read, and a URI is an error that names the extra."""
    _save(tmp_path / "m", [{"type": "double", "name": "a"}])
    code = (
        "import sys; sys.modules['mlflow'] = None\n"
        "from scorebench.errors import InputError\n"
        "from scorebench.payloads.signature import read_model\n"
        f"print(read_model({str(tmp_path / 'm')!r}).signature.columns[0].name)\n"
        "try: read_model('models:/wine/1')\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "a"
    assert "pip install 'mlflow>=3.10' 'scikit-learn>=1.5', or" in done.stdout.splitlines()[1]
