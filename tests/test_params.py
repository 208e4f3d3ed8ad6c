"""Parameters are what the model's schema names and types, or an error before the first call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorebench.errors import InputError
from scorebench.payloads.params import parse_params
from scorebench.payloads.signature import ModelInfo, Param, Scalar, read_model
from tests.mlflow_reader import require_mlflow

MODEL = ModelInfo("m", None, params=(Param("top_k", Scalar("long")), Param("words", Scalar("string"), True)))


def test_params_of_the_models_types_are_taken() -> None:
    """A whole number, and a list of texts."""
    assert parse_params('{"top_k": 5, "words": ["a"]}', MODEL) == {"top_k": 5, "words": ["a"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"top_k": "many"}', "--params: 'top_k' is 'many', the model takes long; correct it"),
        ('{"words": "a"}', "--params: 'words' is 'a', the model takes a list of string; correct it"),
        ('{"topk": 5}', "'topk', which m would ignore; it takes top_k, words; did you mean 'top_k'?"),
        ('{"zzz": 5}', "'zzz', which m would ignore; it takes top_k, words; leave it out"),
    ],
)
def test_a_wrong_parameter_is_an_error(text: str, said: str) -> None:
    """MLflow answers 400 to the first two, and ignores the others."""
    with pytest.raises(InputError) as raised:
        parse_params(text, MODEL)
    assert said in str(raised.value)


def test_a_model_without_parameters_ignores_them() -> None:
    """So they are refused; where no model is known, nothing is."""
    with pytest.raises(InputError, match="found 'k', but m takes no parameters; leave it out"):
        parse_params('{"k": 1}', ModelInfo("m", None))
    assert parse_params('{"k": 1}') == {"k": 1}


def test_a_chat_models_own_inputs_are_no_unknown_parameters() -> None:
    """MLflow takes `temperature` for an input of a ChatModel; it stands where a parameter would."""
    assert parse_params('{"temperature": 0}', ModelInfo("m", None), inputs=["messages", "temperature"])
    with pytest.raises(InputError, match="it takes messages, temperature; did you mean 'temperature'"):
        parse_params('{"temprature": 0}', ModelInfo("m", None), inputs=["messages", "temperature"])


VALUES = [True, 0, 5, 2**31, 2**63, 0.5, 3.0, "a", "2020-01-01", None, [1], ["a"], [], [0.5, 1], {"a": 1}]


@pytest.mark.parametrize("kind", ["boolean", "integer", "long", "float", "double", "string", "datetime"])
@pytest.mark.parametrize("shape", [None, (-1,)])
def test_what_mlflow_refuses_is_refused(kind: str, shape: Any, tmp_path: Path) -> None:
    """MLflow's own schema, saved with a model and read again, is the judge of each value."""
    require_mlflow()
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ParamSchema, ParamSpec

    default = np.datetime64("2020-01-01") if kind == "datetime" else None
    spec = ParamSpec("p", kind, default if shape is None else [], shape)
    Model(signature=ModelSignature(params=ParamSchema([spec]))).save(str(tmp_path / "MLmodel"))
    model = read_model(tmp_path)
    for value in VALUES:
        try:
            ParamSpec.validate_param_spec(value, spec)
            taken = True
        except (MlflowException, OverflowError):
            taken = False
        try:
            parse_params(json.dumps({"p": value}), model)
            ours = True
        except InputError:
            ours = False
        assert ours == taken, value
