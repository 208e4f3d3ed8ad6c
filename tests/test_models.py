"""The demo's model is made whole or not at all, and answers the same through every format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebench.errors import InputError
from scorebench.models.demo_data import LABEL, wine_features, wine_table
from scorebench.models.scikit_learn import EXAMPLE_ROWS, make_sklearn, new_model
from scorebench.payloads.formats import FORMATS
from scorebench.payloads.payload import encode
from scorebench.payloads.rows import rows_for
from scorebench.payloads.signature import read_model
from tests.mlflow_reader import UNREAD, frame_values, parsed, require_mlflow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scikit-learn model, made once for this module."""
    require_mlflow()
    return make_sklearn(tmp_path_factory.mktemp("models") / "sklearn")


def _loaded(model: Path) -> Any:
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(str(model))


def test_it_says_what_it_takes(model: Path) -> None:
    """Eleven doubles, and an example of the demo's first rows."""
    info = read_model(model)
    assert info.signature is not None
    assert [(c.name, str(c.type)) for c in info.signature.columns] == [(n, "double") for n in wine_features()]
    assert frame_values(rows_for(None, info, seed=1)) == frame_values(wine_features().head(EXAMPLE_ROWS))


def test_it_names_what_it_needs(model: Path) -> None:
    """Exact versions, so that an image built for it computes the same."""
    lines = (model / "requirements.txt").read_text().split()
    assert {line.split("==")[0] for line in lines} == {"mlflow", "scikit-learn", "skops"}
    assert all("==" in line for line in lines)


def test_it_learned_something(model: Path) -> None:
    """Its answers vary, and follow the label: an answer that is always the same could not be checked."""
    table = wine_table()
    answers = _loaded(model).predict(table.drop(columns=LABEL))
    assert len(set(answers)) > 20
    assert np.corrcoef(answers, table[LABEL])[0, 1] > 0.5


@pytest.mark.parametrize("format", [f for f in FORMATS if f not in UNREAD])
@pytest.mark.parametrize("rows_per_call", [1, 64])
def test_predictions_are_the_same_through_every_format(model: Path, format: str, rows_per_call: int) -> None:
    """Encoded, read by MLflow's parser and predicted, each row's answer is the model's own."""
    loaded = _loaded(model)
    signature = read_model(model).signature
    rows = wine_features().head(200)
    payload = encode(rows, format, rows_per_call=rows_per_call, signature=signature)
    schema = loaded.metadata.get_input_schema()
    answers = [loaded.predict(parsed(body, payload.content_type, schema)) for body in payload.bodies]
    assert [len(part) for part in answers] == list(payload.rows)
    assert np.concatenate(answers).tolist() == loaded.predict(rows).tolist()


def test_a_model_made_again_is_the_same_model(model: Path, tmp_path: Path) -> None:
    """The same tree from the same table; and one that is there is replaced."""
    again = make_sklearn(tmp_path / "sklearn")
    (again / "leftover").touch()
    assert make_sklearn(again) == again
    assert not (again / "leftover").exists()
    rows = wine_features().head(50)
    assert _loaded(again).predict(rows).tolist() == _loaded(model).predict(rows).tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["sklearn"]


def _fail_halfway(target: Path) -> None:
    with new_model(target) as folder:
        folder.mkdir()
        (folder / "MLmodel").write_text("half")
        raise ZeroDivisionError


def test_a_making_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither half a model nor a scratch folder; what stood there before still stands."""
    target = tmp_path / "m"
    for before in ([], ["m"]):
        with pytest.raises(ZeroDivisionError):
            _fail_halfway(target)
        assert [path.name for path in tmp_path.iterdir()] == before
        target.mkdir(exist_ok=True)
        (target / "MLmodel").write_text("whole")
    assert (target / "MLmodel").read_text() == "whole"


def test_a_making_that_is_killed_leaves_no_model(tmp_path: Path) -> None:
    """SIGKILL in the middle: nothing stands under the model's name."""
    code = (
        "import os, signal\n"
        "from scorebench.models.scikit_learn import new_model\n"
        f"with new_model({str(tmp_path / 'm')!r}) as folder:\n"
        "    folder.mkdir(); (folder / 'MLmodel').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert not (tmp_path / "m").exists()


def test_other_content_is_not_replaced(tmp_path: Path) -> None:
    """A folder with files that are no model, or a file, is refused; an empty folder is taken."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1").touch()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for name in ("thesis", "file"):
        with (
            pytest.raises(InputError, match="exists and is not a model"),
            new_model(tmp_path / name),
        ):
            pytest.fail("must not get here")
    with new_model(tmp_path / "empty") as folder:
        folder.mkdir()
        (folder / "MLmodel").touch()
    assert (tmp_path / "empty" / "MLmodel").exists()
    assert (tmp_path / "thesis" / "chapter1").exists()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A file where a folder would have to be."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), new_model(tmp_path / "file" / "m"):
        pytest.fail("must not get here")


def test_without_mlflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """pip install scorebench alone makes no models, and says what would."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.sklearn", None)
    with pytest.raises(InputError, match=r"pip install 'mlflow>=\S+' 'scikit-learn>="):
        make_sklearn(tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_the_frame_of_the_example_is_the_tables(model: Path) -> None:
    """MLflow's own loader gives the same example."""
    from mlflow.models import Model

    example = Model.load(str(model)).load_input_example(str(model))
    pd.testing.assert_frame_equal(example, wine_features().head(EXAMPLE_ROWS))
