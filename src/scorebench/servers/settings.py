"""Environment variables of a server: which change its speed, and which may be told. Knows names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from scorebench.errors import InputError

OPTION = "--server-env"
HIDDEN = "(hidden)"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHANGES_SPEED = re.compile(
    r"UVICORN_\w+|MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT|MLFLOW_MODELS_WORKERS|DISABLE_NGINX|OMP_\w+"
    r"|(?:OPENBLAS|MKL|BLIS|NUMEXPR|VECLIB)_\w*THREADS|PYTHONHASHSEED|MALLOC_\w+|LD_PRELOAD|SPARK_WORKER_CORES"
)
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSW", re.IGNORECASE)
_RESERVED = ("PATH", "PYTHONPATH")


def parse(pairs: Iterable[str] | None) -> dict[str, str]:
    """`NAME=VALUE` of each --server-env, the last of a name counts; InputError for what is none."""
    found = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or _NAME.fullmatch(name) is None or "\0" in value:
            shown = name if equals else "it"
            raise InputError(f"{OPTION}: {shown!r} is no NAME=VALUE, such as OMP_NUM_THREADS=1")
        if name in _RESERVED:
            raise InputError(f"{OPTION} {name}: scorebench sets this one itself; leave it out")
        found[name] = value
    return found


def shown(environment: Mapping[str, str], asked: Iterable[str] = ()) -> dict[str, str]:
    """What a report says of an environment: what changes a server's speed, and the names that were asked for.

    The value of any other name may be a secret, and is hidden.
    """
    asked = set(asked)
    names = [name for name in environment if name in asked or _CHANGES_SPEED.fullmatch(name)]
    return {name: environment[name] if may_be_told(name) else HIDDEN for name in sorted(names)}


def may_be_told(name: str) -> bool:
    """Whether the value of the variable is no secret."""
    return _CHANGES_SPEED.fullmatch(name) is not None and _SECRET.search(name) is None


def hidden_in(words: Iterable[str]) -> list[str]:
    """The words of a command line, without the values of --server-env that may be secrets."""
    found: list[str] = []
    is_value = False
    for word in words:
        if is_value:
            found.append(_hidden(word))
        elif word.startswith(f"{OPTION}="):
            found.append(f"{OPTION}={_hidden(word.removeprefix(f'{OPTION}='))}")
        else:
            found.append(word)
        is_value = word == OPTION
    return found


def _hidden(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return pair if may_be_told(name) or not equals else f"{name}={HIDDEN}"
