"""`--params` → parameters that the model takes, or an error. Knows MLflow's parameter schemas; no bodies."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, NoReturn

from scorebench.errors import InputError
from scorebench.payloads.json_text import parse_json
from scorebench.payloads.signature import ModelInfo, Object, Param, Scalar, Type

_PLACE = "--params"
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "string": (str,),
}


def parse_params(
    text: str, model: ModelInfo | None = None, *, inputs: Collection[str] = ()
) -> dict[str, Any]:
    """The JSON object of parameters, held against the schema of the model, where one is known.

    MLflow ignores a parameter that the schema doesn't name, and refuses each call for one of a wrong type:
    both are an InputError. `inputs` are the names of a chat model's own inputs, such as `temperature`, which
    stand at the same place.
    """
    params = parse_json(text.encode("utf-8", "surrogateescape"), _PLACE, keys_once=True)
    if not isinstance(params, dict):
        raise InputError(
            f"{_PLACE}: found {text[:60]}, expected a JSON object; write e.g. '{{\"top_k\": 5}}'"
        )
    if model is not None:
        known = {param.name: param for param in model.params}
        for name, value in params.items():
            if name in known:
                _check(value, known[name])
            elif name not in inputs:
                _refuse_name(name, [*known, *inputs], model)
    return params


def _refuse_name(name: str, known: list[str], model: ModelInfo) -> NoReturn:
    if not known:
        raise InputError(f"{_PLACE}: found {name!r}, but {model.place} takes no parameters; leave it out")
    near = get_close_matches(name, known, n=1)
    cure = f"did you mean {near[0]!r}?" if near else "leave it out"
    raise InputError(
        f"{_PLACE}: found {name!r}, which {model.place} would ignore; it takes {', '.join(known)}; {cure}"
    )


def _check(value: Any, param: Param) -> None:
    values = value if param.is_list and isinstance(value, list) else [value]
    if (param.is_list and not isinstance(value, list)) or not all(_fits(one, param.type) for one in values):
        expected = f"a list of {param.type}" if param.is_list else str(param.type)
        raise InputError(f"{_PLACE}: {param.name!r} is {value!r:.60}, the model takes {expected}; correct it")


def _fits(value: Any, kind: Type) -> bool:
    if isinstance(kind, Object):
        return isinstance(value, dict)
    assert isinstance(kind, Scalar)
    if value is None:
        return True
    return _is_time(value) if kind.name == "datetime" else type(value) in _PYTHON_TYPES[kind.name]


def _is_time(value: Any) -> bool:
    import numpy as np

    try:
        return isinstance(value, str) and not np.isnat(np.datetime64(value))
    except ValueError:
        return False
