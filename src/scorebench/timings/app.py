"""`uvicorn scorebench.timings.app:app`: MLflow's own application, with its stages timed. Loads the model."""

from __future__ import annotations

from scorebench.timings.mlflow_server import timed_app

app = timed_app()
