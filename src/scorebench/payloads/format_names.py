"""What MLflow's request formats are called. Knows names alone, for whoever must start at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "split": "application/json",
        "records": "application/json",
        "instances": "application/json",
        "inputs": "application/json",
        "csv": "text/csv",
        "parquet": "application/vnd.apache.parquet",
        "split-1x": "application/json",  # MLflow 1.x and the Java server, which refuses any parameter in it
    }
)
FORMATS = tuple(CONTENT_TYPES)
DEFAULT_FORMAT = "split"
KEYS: Mapping[str, str] = MappingProxyType(
    {
        "split": "dataframe_split",
        "records": "dataframe_records",
        "instances": "instances",
        "inputs": "inputs",
    }
)
"""The key under which a JSON body of MLflow 2 and later holds the rows, by format."""
