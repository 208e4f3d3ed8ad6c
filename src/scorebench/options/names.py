"""What our options are called in a namespace that others share. Knows names; no parser."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from scorebench.options.table import DEFAULTS

PREFIX = "scorebench_"


def name_in(options: Namespace | None, name: str) -> str:
    """The attribute that holds our option `name`: with our prefix where a locustfile has one of that name."""
    return PREFIX + name if hasattr(options, PREFIX + name) else name


def value_of(options: Namespace | None, name: str) -> Any:
    """What was asked for; the default where nothing was."""
    return getattr(options, name_in(options, name), DEFAULTS.get(name))
