"""A run's folder → a run in MLflow: parameters, metrics, a step a second, files. Knows MLflow's limits.

What is None is not logged: MLflow's metrics know no gap, and 0 would be a figure.
"""

from __future__ import annotations

import math
import os
import posixpath
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench import extras
from scorebench.client.hiding import in_urls
from scorebench.errors import InputError
from scorebench.figures.metrics import every
from scorebench.figures.timeline import timeline
from scorebench.payloads.fetching import is_uri
from scorebench.report import markdown
from scorebench.report.words import plain

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.verdicts.verdict import Verdict

MOST_TOGETHER, MOST_PARAMS = 1000, 100
"""What MLflow takes in a batch: entries of all kinds, and of these parameters."""
PARAM_CHARACTERS, TAG_CHARACTERS, NAME_CHARACTERS = 6000, 8000, 250
RETRIES_BEFORE, RETRIES_AFTER = 1, 4
"""Of a request before the load, when somebody waits for an error, and after it, when figures would be lost.
MLflow's own seven take four minutes."""
EXPERIMENT_KIND, MODEL_TRAINING = "mlflow.experimentKind", "custom_model_development"
"""MLflow's tag by which its page chooses between model training and GenAI, and the value for the first."""
_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_LOGGED_MODEL = r"m-[0-9a-f]+"
Figure = tuple[str, float, int]
"""(name, value, step)."""


def check(experiment: str) -> None:
    """InputError unless the tracking server answers and would take a run in `experiment`."""
    place = f"--mlflow-experiment {plain(experiment)}"
    with _retrying(RETRIES_BEFORE):
        try:
            found = _client().get_experiment_by_name(experiment)
        except InputError:
            raise
        except Exception as problem:  # MLflow's, requests' and SQLAlchemy's, as they come
            raise InputError(
                f"{place}: the tracking server does not answer ({type(problem).__name__}: "
                f"{plain(in_urls(str(problem)), 120)}). Check MLFLOW_TRACKING_URI."
            ) from None
    if found is not None and found.lifecycle_stage != "active":
        raise InputError(f"{place}: it was deleted; restore it in MLflow, or name another")


def log(folder: Path, experiment: str, recording: Recording, summary: Summary, verdict: Verdict) -> str:
    """Log the run in `folder`; the id of MLflow's run. Whatever MLflow raises comes through."""
    with _retrying(RETRIES_AFTER):
        client = _client()
        found = client.get_experiment_by_name(experiment)
        number = _made(client, experiment) if found is None else found.experiment_id
        began_ms = int(1e3 * float(summary.environment.get("started_s") or time.time()))
        run_id: str = client.create_run(number, start_time=began_ms, run_name=folder.name).info.run_id
        try:
            _fill(client, run_id, folder, recording=recording, summary=summary, verdict=verdict)
        except Exception:
            with suppress(Exception):  # what was wrong first is what is told
                client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, status(verdict))
    return run_id


def status(verdict: Verdict) -> str:
    """MLflow's status of the run: FAILED where the exit code is not 0, so that its table shows it in red."""
    return "FINISHED" if verdict.exit_code == 0 else "FAILED"


def _made(client: Any, experiment: str) -> str:
    """A new experiment; MLflow's page has it under model training, where figures and models stand.

    Its run type "evaluation" is for answers that are judged trace by trace, and a load test has none.
    """
    made: str = client.create_experiment(experiment, tags={EXPERIMENT_KIND: MODEL_TRAINING})
    return made


def _fill(
    client: Any, run_id: str, folder: Path, *, recording: Recording, summary: Summary, verdict: Verdict
) -> None:
    from mlflow.entities import LoggedModelInput, Metric, Param, RunTag

    model_id = _logged_model(client, summary.environment)
    start_ms = 1000 * min(recording.measured.seconds, default=int(time.time()))
    now_ms = int(time.time() * 1e3)
    overall = [
        Metric(name, value, now_ms, step, model_id=model_id, run_id=run_id)
        for name, value, step in metrics(summary, verdict)
    ]
    steps = [
        Metric(name, value, start_ms + 1000 * step, step, run_id=run_id)
        for name, value, step in per_second(recording)
    ]
    all_params = [Param(name, value) for name, value in params(summary)]
    tags = [RunTag(name, text) for name, text in told_in_tags(summary, verdict).items()]
    first, *others = batches([*overall, *steps], first=MOST_TOGETHER - len(all_params) - len(tags))
    client.log_batch(run_id, metrics=first, params=all_params, tags=tags)
    for batch in others:
        client.log_batch(run_id, metrics=batch)
    if model_id is not None:
        client.log_inputs(run_id, models=[LoggedModelInput(model_id)])
    for path in sorted(folder.iterdir()):
        if path.is_file():
            client.log_artifact(run_id, str(path))


def batches(every: Sequence[Any], *, first: int) -> list[Sequence[Any]]:
    """`every` in parts that MLflow takes; the first part leaves room for parameters and tags."""
    starts = [0, *range(first, len(every), MOST_TOGETHER)]
    return [every[start:end] for start, end in zip(starts, [*starts[1:], len(every)], strict=True)]


def metrics(summary: Summary, verdict: Verdict) -> Iterator[Figure]:
    """The summary's figures by names that MLflow takes; None and what is not finite left out.

    What stands before a slash is a section of MLflow's page.
    """
    known: dict[str, float | None] = {
        "calls": summary.calls,
        "valid": summary.valid,
        "exit_code": int(verdict.exit_code),
    }
    known |= {metric.key: metric.of(summary) for metric in every()}
    known |= {f"outcomes/{label}": calls for label, calls in summary.outcomes.items()}
    for name, value in known.items():
        if value is not None and math.isfinite(value):
            yield named(name), float(value), 0


def per_second(recording: Recording) -> Iterator[Figure]:
    """Calls due, sent and valid, and the percentiles, with the second of the run as step."""
    for second in timeline(recording.measured):
        for name in ("due", "sent", "valid", "p50_s", "p95_s", "p99_s", "max_s"):
            value = getattr(second, name)
            if value is not None:
                yield f"second/{name}", float(value), second.t_s


def params(summary: Summary) -> list[tuple[str, str]]:
    """What the run was made with; as many as MLflow takes, each name once."""
    flat = _flat(summary.environment)
    all_params = {named(name): str(value)[:PARAM_CHARACTERS] for name, value in flat if value is not None}
    return list(all_params.items())[:MOST_PARAMS]


def told_in_tags(summary: Summary, verdict: Verdict) -> dict[str, str]:
    """Both verdicts, and the report as the run's description where MLflow takes that much text."""
    description = markdown.render(summary, verdict)
    verdicts = {"scorebench.valid": str(verdict.valid), "scorebench.met": str(verdict.met)}
    return verdicts | ({"mlflow.note.content": description} if len(description) <= TAG_CHARACTERS else {})


def named(text: str) -> str:
    """Letters, digits and the signs that MLflow's names may have; no path that could be written otherwise."""
    name = re.sub(r"[^\w\-./ :]", "_", text)[:NAME_CHARACTERS]
    flat = posixpath.normpath(name) == name and not name.startswith((".", "/"))
    return name if flat else re.sub(r"[./]", "_", name) or "_"


def _logged_model(client: Any, environment: Mapping[str, Any]) -> str | None:
    """The model that was served, where this tracking server knows it."""
    try:
        model_id = model_of(environment)
        return model_id if model_id and client.get_logged_model(model_id) else None
    except Exception:  # whatever a store says: a run without the link is better than none
        return None


def model_of(environment: Mapping[str, Any]) -> str | None:
    """The id of the logged model that was served: its URI says it, or its MLmodel file, or MLflow does."""
    uri = str((environment.get("server") or {}).get("model") or environment.get("model") or "")
    if found := re.fullmatch(rf"models:/({_LOGGED_MODEL})", uri):
        return found[1]
    if not uri:
        return None
    return _id_by_mlflow(uri) if is_uri(uri) else _id_in_file(Path(uri))


def _id_in_file(folder: Path) -> str | None:
    import yaml

    try:
        content = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    model_id = content.get("model_id") if isinstance(content, dict) else None
    return model_id if isinstance(model_id, str) and re.fullmatch(_LOGGED_MODEL, model_id) else None


def _id_by_mlflow(uri: str) -> str | None:
    """Of models:/name/1, models:/name@alias, runs:/…; whatever MLflow raises comes through."""
    from mlflow.models import get_model_info

    model_id: str | None = get_model_info(uri).model_id
    return model_id


def _flat(environment: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in environment.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@contextmanager
def _retrying(times: int) -> Iterator[None]:
    """MLflow's own variable, unless somebody set it."""
    if _RETRIES in os.environ:
        yield
        return
    os.environ[_RETRIES] = str(times)
    try:
        yield
    finally:
        del os.environ[_RETRIES]


def _client() -> Any:
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise InputError(
            f"--mlflow-experiment: MLflow is not installed; {extras.install('mlflow')}"
        ) from None
    return MlflowClient()
