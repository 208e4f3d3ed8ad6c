"""A run's folder → a run in MLflow: parameters, metrics, a step a second, files. Knows MLflow's limits.

What is None is not logged: MLflow's metrics know no gap, and 0 would be a figure.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.timeline import timeline

if TYPE_CHECKING:
    from scorebench.recording import Recording
    from scorebench.summary import Summary
    from scorebench.verdict import Verdict

MOST_METRICS, MOST_PARAMS, PARAM_CHARACTERS, NAME_CHARACTERS = 1000, 100, 6000, 250
"""What MLflow takes: metrics a batch, parameters a batch, characters of a value and of a name."""
Figure = tuple[str, float, int]
"""(name, value, step)."""


def check(experiment: str) -> None:
    """InputError unless the tracking server answers; nothing is made there yet."""
    client = _client()
    try:
        client.get_experiment_by_name(experiment)
    except Exception as problem:  # MLflow's, requests' and SQLAlchemy's, as they come
        raise InputError(
            f"--mlflow-experiment {experiment}: the tracking server can't be asked "
            f"({type(problem).__name__}). Is MLFLOW_TRACKING_URI right?"
        ) from None


def log(folder: Path, experiment: str, recording: Recording, summary: Summary, verdict: Verdict) -> str:
    """Log the run in `folder`; the id of MLflow's run. Whatever MLflow raises comes through."""
    from mlflow.entities import Metric, Param, RunTag

    client = _client()
    found = client.get_experiment_by_name(experiment)
    number = client.create_experiment(experiment) if found is None else found.experiment_id
    began_ms = int(1e3 * float(summary.environment.get("started_s") or time.time()))
    run_id: str = client.create_run(number, start_time=began_ms, run_name=folder.name).info.run_id
    model_id = model_of(summary.environment)
    now_ms = int(time.time() * 1e3)
    overall = [
        Metric(name, value, now_ms, step, model_id=model_id, run_id=run_id)
        for name, value, step in metrics(summary, verdict)
    ]
    steps = [
        Metric(name, value, began_ms + 1000 * step, step, run_id=run_id)
        for name, value, step in per_second(recording)
    ]
    every = [*overall, *steps]
    told = [Param(name, value) for name, value in params(summary)]
    tags = [RunTag("scorebench.valid", str(verdict.valid)), RunTag("scorebench.met", str(verdict.met))]
    client.log_batch(run_id, metrics=every[: MOST_METRICS - MOST_PARAMS], params=told, tags=tags)
    for start in range(MOST_METRICS - MOST_PARAMS, len(every), MOST_METRICS):
        client.log_batch(run_id, metrics=every[start : start + MOST_METRICS])
    for path in sorted(folder.iterdir()):
        if path.is_file():
            client.log_artifact(run_id, str(path))
    client.set_terminated(run_id)
    return run_id


def metrics(summary: Summary, verdict: Verdict) -> Iterator[Figure]:
    """The summary's figures by names that MLflow takes; None and what is not finite left out."""
    known = {
        "calls": summary.calls,
        "valid": summary.valid,
        "valid_share": summary.valid_share,
        "throughput_per_s": summary.throughput_per_s,
        "rows_per_s": summary.rows_per_s,
        "exit_code": int(verdict.exit_code),
    }
    for of, times in (("service_time_s", summary.service), ("response_time_s", summary.response)):
        known |= {f"{of}.{name}": value for name, value in times.to_dict().items()}
    known |= {f"outcomes.{label}": calls for label, calls in summary.outcomes.items()}
    for name, value in known.items():
        if value is not None and math.isfinite(value):
            yield named(name), float(value), 0


def per_second(recording: Recording) -> Iterator[Figure]:
    """Calls due, sent and valid, and the percentiles, with the second of the run as step."""
    for second in timeline(recording.measured):
        for name in ("due", "sent", "valid", "p50_s", "p95_s", "p99_s", "max_s"):
            value = getattr(second, name)
            if value is not None:
                yield f"second.{name}", float(value), second.t_s


def params(summary: Summary) -> list[tuple[str, str]]:
    """What the run was made with; as many as MLflow takes."""
    flat = _flat(summary.environment)
    return [(named(name), str(value)[:PARAM_CHARACTERS]) for name, value in flat if value is not None][
        :MOST_PARAMS
    ]


def named(text: str) -> str:
    """Letters, digits and the signs that MLflow's names may have."""
    return re.sub(r"[^\w\-./ :]", "_", text)[:NAME_CHARACTERS] or "_"


def model_of(told: Mapping[str, Any]) -> str | None:
    """The logged model that was served, where its URI or its MLmodel file says which."""
    uri = str((told.get("server") or {}).get("model") or "")
    if found := re.fullmatch(r"models:/(m-[0-9a-f]+)", uri):
        return found[1]
    path = Path(uri.removeprefix("file://")) / "MLmodel"
    try:
        import yaml

        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    model_id = content.get("model_id") if isinstance(content, dict) else None
    return model_id if isinstance(model_id, str) and re.fullmatch(r"m-[0-9a-f]+", model_id) else None


def _flat(told: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _client() -> Any:
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise InputError(
            "--mlflow-experiment: MLflow is not installed; pip install 'scorebench[mlflow]'"
        ) from None
    return MlflowClient()
