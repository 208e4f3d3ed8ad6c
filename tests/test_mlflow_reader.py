"""The reader that other tests trust sees what an MLflow server would see, and its comparison can fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scorebench.payloads.payload import Payload
from tests.mlflow_reader import frame_values, params_of, plain, received, require_mlflow, values_of


@pytest.fixture(autouse=True)
def _mlflow() -> None:
    require_mlflow()


def _payload(body: bytes) -> Payload:
    return Payload((body,), (1,), "application/json", "split")


def test_a_changed_value_is_seen() -> None:
    """A body that says 1.5 does not compare equal to rows that say 1.25."""
    from mlflow.types import ColSpec, Schema

    body = b'{"dataframe_split":{"columns":["x"],"data":[[1.5]]}}'
    arrived = values_of(received(_payload(body), Schema([ColSpec("double", "x")])))
    assert arrived == [[1.5]]
    assert arrived != frame_values(pd.DataFrame({"x": [1.25]}))


def test_what_mlflow_refuses_raises() -> None:
    """Text in a double column does not pass the reader."""
    from mlflow.exceptions import MlflowException
    from mlflow.types import ColSpec, Schema

    body = b'{"dataframe_split":{"columns":["x"],"data":[["abc"]]}}'
    with pytest.raises(MlflowException, match="x"):
        received(_payload(body), Schema([ColSpec("double", "x")]))


def test_params_are_told_from_rows() -> None:
    """The key `params` is not taken for data."""
    assert params_of(b'{"inputs":[1],"params":{"k":2}}') == {"k": 2}


def test_plain_values_compare() -> None:
    """Arrays, NumPy numbers, times and missing values become what == can compare."""
    assert plain(np.array([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]
    assert plain({"a": np.float32(0.5), "b": float("nan")}) == {"a": 0.5, "b": None}
    assert plain(np.datetime64("2020-01-02")) == pd.Timestamp("2020-01-02")
    assert plain([pd.NA, pd.NaT, None]) == [None, None, None]
