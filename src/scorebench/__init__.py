"""Load-test MLflow scoring servers with Locust."""

from __future__ import annotations

__version__ = "0.1.0"
