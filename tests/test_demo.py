"""The demo's table is like the real one in ranges and correlations, and is not the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scorebench.models.demo_data import (
    BODY_ROWS,
    CORRELATIONS,
    LABEL,
    MARGINALS,
    PROBABILITIES,
    QUALITY_SHARES,
    ROWS,
    wine_features,
    wine_table,
    write_payloads,
)
from scorebench.payloads.bodies import load_bodies
from scorebench.payloads.formats import FORMATS
from scorebench.payloads.rows import read_rows
from tests.mlflow_reader import frame_values
from tests.requirements import shared

PAYLOADS = Path(__file__).parents[1] / "payloads"


def _real() -> pd.DataFrame:
    return pd.read_csv(shared("data/wine-quality-white.csv"))


def test_the_shipped_table_is_what_the_code_makes() -> None:
    """payloads/wine.csv is made, not kept: byte for byte."""
    text = wine_table().to_csv(index=False, lineterminator="\n")
    assert (PAYLOADS / "wine.csv").read_bytes() == text.encode()
    pd.testing.assert_frame_equal(read_rows(PAYLOADS / "wine.csv"), wine_table())


def test_the_shipped_bodies_are_what_the_code_makes(tmp_path: Path) -> None:
    """One body a format, the first rows without the label; Parquet may differ by its writer's version."""
    written = write_payloads(tmp_path)
    assert {path.name for path in written} == {path.name for path in PAYLOADS.iterdir()} - {"README.md"}
    assert len(written) == 1 + len(FORMATS)
    for path in written:
        if path.suffix != ".parquet":
            assert path.read_bytes() == (PAYLOADS / path.name).read_bytes()


@pytest.mark.parametrize("format", FORMATS)
def test_each_shipped_body_holds_the_first_rows(format: str) -> None:
    """And is known for its format."""
    (path,) = (p for p in PAYLOADS.glob(f"wine-{format}.*"))
    body = load_bodies(path)
    assert (body.format, body.rows) == (format, (BODY_ROWS,))
    assert frame_values(read_rows(path)) == frame_values(wine_features().head(BODY_ROWS))


def test_shape_and_types() -> None:
    """4,898 rows, eleven floats and a whole number; the same seed the same table, another another."""
    table = wine_table()
    assert table.shape == (ROWS, 12) == (4898, 12)
    assert [str(t) for t in table.dtypes] == ["float64"] * 11 + ["int64"]
    assert not table.isna().any().any()
    pd.testing.assert_frame_equal(table, wine_table())
    assert not table.equals(wine_table(seed=1))
    assert len(wine_table(rows=3)) == 3


def test_the_statistics_are_consistent() -> None:
    """Quantiles ascend with their probabilities, shares too, and the correlations are those of something."""
    assert all(len(m.quantiles) == len(PROBABILITIES) for m in MARGINALS)
    assert all(np.diff(m.quantiles).min() >= 0 for m in MARGINALS)
    assert np.diff(PROBABILITIES).min() > 0
    assert list(QUALITY_SHARES.values()) == sorted(QUALITY_SHARES.values())
    assert [len(row) for row in CORRELATIONS] == list(range(len(MARGINALS) + 1))


def test_columns_are_the_real_ones() -> None:
    """In their order, the label last."""
    assert list(wine_table().columns) == list(_real().columns)
    assert list(wine_table().columns)[-1] == LABEL


def test_ranges_are_the_real_ones() -> None:
    """No value beyond the real extremes, and quantiles within a tenth of the middle 98 %."""
    real, made = _real(), wine_table()
    assert (made.min() >= real.min()).all()
    assert (made.max() <= real.max()).all()
    spread = real.quantile(0.99) - real.quantile(0.01)
    for share in (0.01, 0.25, 0.5, 0.75, 0.99):
        assert ((made.quantile(share) - real.quantile(share)).abs() <= 0.1 * spread).all()


def test_means_and_deviations_are_the_real_ones() -> None:
    """Means within five standard errors of 4,898 rows, deviations within 10 %."""
    real, made = _real(), wine_table()
    assert ((made.mean() - real.mean()).abs() <= 5 * real.std() / np.sqrt(ROWS)).all()
    assert (made.std() / real.std()).between(0.9, 1.1).all()


def test_correlations_are_the_real_ones() -> None:
    """Each of the 66 within 0.05: sugar makes wine dense (0.84), alcohol makes it light (-0.78)."""
    real, made = _real().corr(), wine_table().corr()
    assert (made - real).abs().max().max() < 0.05
    assert made.loc["residual_sugar", "density"] == pytest.approx(0.84, abs=0.05)
    assert made.loc["alcohol", "density"] == pytest.approx(-0.78, abs=0.05)


def test_no_real_row_is_in_it() -> None:
    """Not one of the real rows, with or without its label."""
    for columns in (list(wine_table().columns), list(wine_features().columns)):
        real = set(map(tuple, _real()[columns].to_numpy()))
        made = set(map(tuple, wine_table()[columns].to_numpy()))
        assert len(real) > 3000
        assert not real & made


def test_the_command_writes_the_payloads(tmp_path: Path) -> None:
    """python -m scorebench.models.demo_data DIR names what it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "scorebench.models.demo_data", str(tmp_path / "new")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 1 + len(FORMATS)
    assert json.loads((tmp_path / "new" / "wine-split.json").read_bytes())["dataframe_split"]["columns"]
