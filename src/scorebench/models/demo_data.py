"""The demo's table: synthetic white wines, made from statistics alone. Knows numbers and files; no model.

The columns, their ranges and their correlations are those of the white wines in the Wine Quality data
(P. Cortez, A. Cerdeira, F. Almeida, T. Matos, J. Reis, 2009; UCI Machine Learning Repository, CC BY 4.0);
the rows are made up. A Gaussian copula makes them: normal variables, correlated as below, become ranks, and
ranks become values by interpolation between the quantiles of the real column.

    python -m scorebench.models.demo_data [DIR]  writes the table, and a body for each format, into DIR
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scorebench.payloads.formats import FORMATS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LABEL = "quality"
ROWS = 4898
SEED = 2009
BODY_ROWS = 3


@dataclass(frozen=True)
class Marginal:
    """One column: the decimals it is written with, and its quantiles at PROBABILITIES."""

    name: str
    decimals: int
    quantiles: tuple[float, ...]


# fmt: off
PROBABILITIES = (0, .001, .01, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .98, .99, .999, .9997, 1)
MARGINALS = (
    Marginal("fixed_acidity", 1,
        (3.8, 4.4, 5, 5.6, 5.9, 6.2, 6.4, 6.6, 6.8, 7, 7.2, 7.5, 7.9, 8.3, 8.9, 9.2, 10.3, 11.28,
         14.2)),
    Marginal("volatile_acidity", 2,
        (0.08, 0.089, 0.12, 0.15, 0.17, 0.2, 0.22, 0.24, 0.26, 0.28, 0.31, 0.34, 0.4, 0.46, 0.56, 0.63,
         0.906, 0.986, 1.1)),
    Marginal("citric_acid", 2,
        (0, 0, 0.05, 0.17, 0.22, 0.25, 0.28, 0.3, 0.32, 0.34, 0.37, 0.41, 0.49, 0.54, 0.67, 0.74, 1,
         1.122, 1.66)),
    Marginal("residual_sugar", 1,
        (0.6, 0.7, 0.9, 1.1, 1.2, 1.5, 2, 3.4, 5.2, 7, 8.6, 11.2, 14, 15.7, 17.8, 18.8, 23.76, 31.6,
         65.8)),
    Marginal("chlorides", 3,
        (0.009, 0.014, 0.02, 0.027, 0.03, 0.034, 0.037, 0.04, 0.043, 0.046, 0.048, 0.052, 0.058, 0.067,
         0.117, 0.16, 0.2451, 0.2958, 0.346)),
    Marginal("free_sulfur_dioxide", 0,
        (2, 3, 6, 11, 15, 21, 25, 29, 34, 38, 43, 49, 57, 63, 72, 81, 124.4, 142.7, 289)),
    Marginal("total_sulfur_dioxide", 0,
        (9, 20.8, 51, 75, 87, 102, 113, 124, 134, 147, 160, 176, 195, 212, 229, 241, 303.5, 355.9,
         440)),
    Marginal("density", 5,
        (0.98711, 0.98742, 0.98878, 0.98964, 0.99033, 0.99130, 0.99209, 0.99290, 0.99374, 0.99470,
         0.99560, 0.99680, 0.99815, 0.99900, 0.99990, 1.00030, 1.00247, 1.01030, 1.03898)),
    Marginal("pH", 2,
        (2.72, 2.79, 2.88, 2.96, 3, 3.06, 3.11, 3.14, 3.18, 3.22, 3.25, 3.31, 3.38, 3.46, 3.53, 3.6,
         3.772, 3.805, 3.82)),
    Marginal("sulphates", 2,
        (0.22, 0.25, 0.29, 0.34, 0.36, 0.39, 0.42, 0.45, 0.47, 0.5, 0.53, 0.57, 0.64, 0.71, 0.78, 0.83,
         0.981, 1.037, 1.08)),
    Marginal("alcohol", 1,
        (8, 8.49, 8.7, 8.9, 9, 9.4, 9.6, 10, 10.4, 10.7, 11.2, 11.7, 12.4, 12.7, 13.1, 13.4, 14, 14.03,
         14.2)),
)
QUALITY_SHARES = {3: 0.0041, 4: 0.0374, 5: 0.3348, 6: 0.7836, 7: 0.9633, 8: 0.9990, 9: 1.0}
"""Cumulative: this share of the wines is of that quality or less."""

# Of the normal variables, row by row below the diagonal, the label last: chosen so that the correlations
# (Pearson's) of the columns that come out are those of the real table; tails would pull them to zero.
CORRELATIONS: tuple[tuple[float, ...], ...] = (
    (),
    (-0.018,),
    (0.3, -0.163),
    (0.096, 0.077, 0.101),
    (0.031, 0.095, 0.151, 0.117),
    (-0.053, -0.107, 0.105, 0.318, 0.139),
    (0.091, 0.09, 0.129, 0.421, 0.257, 0.633),
    (0.268, 0.031, 0.154, 0.865, 0.333, 0.305, 0.535),
    (-0.433, -0.037, -0.173, -0.211, -0.121, -0.005, -0.002, -0.097),
    (-0.018, -0.037, 0.064, -0.028, 0.017, 0.063, 0.137, 0.076, 0.159),
    (-0.121, 0.077, -0.079, -0.497, -0.507, -0.27, -0.466, -0.808, 0.124, -0.013),
    (-0.123, -0.225, -0.012, -0.112, -0.289, 0.002, -0.188, -0.333, 0.107, 0.06, 0.473),
)
# fmt: on


def wine_table(rows: int = ROWS, seed: int = SEED) -> pd.DataFrame:
    """Eleven columns of floats and the label, of int64; the same seed makes the same table."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((rows, len(CORRELATIONS))) @ np.linalg.cholesky(_correlation_matrix()).T
    ranks = _shares_below(normal).T
    columns = {
        marginal.name: np.interp(rank, PROBABILITIES, marginal.quantiles).round(marginal.decimals)
        for marginal, rank in zip(MARGINALS, ranks[:-1], strict=True)
    }
    return pd.DataFrame({**columns, LABEL: _qualities(ranks[-1])})


def _shares_below(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal distribution's cumulative shares, by Python's erfc: scipy takes half a second to import."""
    shares = [math.erfc(-value * math.sqrt(0.5)) / 2 for value in normal.ravel().tolist()]
    return np.array(shares).reshape(normal.shape)


def wine_features() -> pd.DataFrame:
    """The table without its label: what a model is asked about."""
    return wine_table().drop(columns=LABEL)


def _correlation_matrix() -> NDArray[np.float64]:
    matrix = np.eye(len(CORRELATIONS))
    for row, values in enumerate(CORRELATIONS):
        matrix[row, :row] = matrix[:row, row] = values
    return matrix


def _qualities(ranks: NDArray[np.float64]) -> NDArray[np.int64]:
    grades = np.array(list(QUALITY_SHARES), dtype=np.int64)
    return grades[np.searchsorted(list(QUALITY_SHARES.values()), ranks)]


def write_payloads(folder: str | Path) -> list[Path]:
    """Write the table, wine.csv, and its first rows as bodies, wine-FORMAT.SUFFIX; the paths written."""
    from scorebench.payloads.payload import encode

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "wine.csv"
    wine_table().to_csv(table, index=False, lineterminator="\n")
    written = [table]
    for name, format in FORMATS.items():
        payload = encode(wine_features().head(BODY_ROWS), name, rows_per_call=BODY_ROWS)
        written.append(folder / f"wine-{name}{format.suffix}")
        written[-1].write_bytes(payload.bodies[0])
    return written


if __name__ == "__main__":
    for path in write_payloads(sys.argv[1] if len(sys.argv) > 1 else "payloads"):
        print(f"wrote {path}")
