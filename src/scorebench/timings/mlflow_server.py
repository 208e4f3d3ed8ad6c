"""Wraps the functions of MLflow's scoring server that its stages begin and end with. Knows MLflow's names.

Checked before anything is wrapped: each function is there, and its caller still looks it up by that name.
Where one is missing nothing is wrapped, and MLflow serves as it is.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from importlib import import_module
from types import CodeType, ModuleType
from typing import Any

from scorebench.timings.middleware import ServerTiming, in_thread, timed

KNOWN_VERSIONS = ((2, 21), (3, 18))
"""The first and the last version of MLflow (major, minor) whose source was read for this."""
MLFLOW_APP = "mlflow.pyfunc.scoring_server.app:app"
OUR_APP = "scorebench.timings.app:app"
_SERVER, _PYFUNC = "mlflow.pyfunc.scoring_server", "mlflow.pyfunc"

_STAGES = {
    "_parse_json_data": "parse",
    "parse_csv_input": "parse",
    "parse_parquet_input": "parse",
    "predictions_to_json": "write",
    "unwrapped_predictions_to_json": "write",
}
"""Functions of the scoring server, each a stage."""
_SINCE_LATER = {"parse_parquet_input", "unwrapped_predictions_to_json"}
"""Not in every known version."""
_LOOKED_UP = (
    ("init", {"invocations"}),
    ("invocations", set(_STAGES) - _SINCE_LATER),
)
"""By each of these functions of the scoring server, as globals, when a call comes."""

_log = logging.getLogger("scorebench.timings")


def timed_app() -> Any:
    """MLflow's ASGI application with `Server-Timing`; without it, and with a warning, where that can't be."""
    server, pyfunc = import_module(_SERVER), import_module(_PYFUNC)
    missing = list(_missing(server, pyfunc))
    if missing:
        _log.warning(
            "no timings: MLflow %s has no %s, which scorebench times (known: %s); it serves without them",
            _version(),
            ", no ".join(missing),
            _known(),
        )
    else:
        _wrap(server, pyfunc)
    app = import_module(f"{_SERVER}.app").app
    return app if missing else ServerTiming(app)


def name_our_app() -> None:
    """Have MLflow start uvicorn with our application, which is MLflow's own with timings."""
    server = import_module(_SERVER)
    get_cmd = getattr(server, "get_cmd", None)
    if get_cmd is None:
        _log.warning("no timings: MLflow %s starts its server in another way; it serves without", _version())
        return

    def ours(*args: Any, **kwargs: Any) -> Any:
        command, environment = get_cmd(*args, **kwargs)
        if MLFLOW_APP not in command:
            _log.warning("no timings: MLflow %s starts %r; it serves without them", _version(), command)
        return command.replace(MLFLOW_APP, OUR_APP), environment

    server.get_cmd = ours  # type: ignore[attr-defined]


def _wrap(server: ModuleType, pyfunc: ModuleType) -> None:
    version = _version()
    if not KNOWN_VERSIONS[0] <= _minor(version) <= KNOWN_VERSIONS[1]:
        _log.warning("MLflow %s is none that these timings were made for (%s)", version, _known())
    for name, stage in _STAGES.items():
        if hasattr(server, name):
            setattr(server, name, timed(getattr(server, name), stage))
    init = server.init

    def timed_init(model: Any, *args: Any, **kwargs: Any) -> Any:
        # The model's own function, not PyFuncModel.predict, which enforces the schema before it.
        model._predict_fn = timed(model._predict_fn, "predict")
        return init(model, *args, **kwargs)

    replaced = {
        (server, "invocations"): in_thread(server.invocations, "queue"),
        (server, "init"): timed_init,
        (pyfunc, "_validate_prediction_input"): timed(pyfunc._validate_prediction_input, "schema"),
    }
    for (module, name), function in replaced.items():
        setattr(module, name, function)


def _missing(server: ModuleType, pyfunc: ModuleType) -> Iterator[str]:
    """What we would wrap and MLflow lacks, or no longer calls by that name."""
    for caller, names in _LOOKED_UP:
        used = _names_in(getattr(server, caller, None))
        yield from (
            name for name in sorted(names) if name not in used or not callable(getattr(server, name, None))
        )
    if not callable(getattr(server, "init", None)):
        yield "init"
    model = getattr(pyfunc, "PyFuncModel", None)
    used = _names_in(getattr(model, "predict", None)) | _names_in(getattr(model, "_predict", None))
    if "_predict_fn" not in used:
        yield "PyFuncModel._predict_fn"
    if "_validate_prediction_input" not in used or not hasattr(pyfunc, "_validate_prediction_input"):
        yield "_validate_prediction_input"


def _names_in(function: Any) -> set[str]:
    """The globals and attributes that a function uses, those of the functions inside it too."""
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    todo, names = [code] if isinstance(code, CodeType) else [], set[str]()
    while todo:
        one = todo.pop()
        names.update(one.co_names)
        todo += [const for const in one.co_consts if isinstance(const, CodeType)]
    return names


def _version() -> str:
    return str(import_module("mlflow.version").VERSION)


def _minor(version: str) -> tuple[int, int]:
    major, minor, *_ = (version + ".0").split(".")
    return int(major), int(minor)


def _known() -> str:
    return " to ".join(".".join(map(str, version)) for version in KNOWN_VERSIONS)
