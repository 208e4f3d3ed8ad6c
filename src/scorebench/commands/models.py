"""`scorebench models make`: a demo model in a folder. Knows where each flavor is made; makes none itself."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

MODELS = Path(".models")
_MAKERS = {
    "sklearn": ("scorebench.models.scikit_learn", "make_sklearn"),
    "spark": ("scorebench.models.spark", "make_spark"),
    "mleap": ("scorebench.models.mleap", "make_mleap"),
    "mleap-spark": ("scorebench.models.mleap", "make_mleap_spark"),
}


def add(commands: Any) -> None:
    models = commands.add_parser("models", help="make a demo model")
    verbs = models.add_subparsers(metavar="VERB", required=True)
    make = verbs.add_parser("make", help="write a demo model into a folder")
    make.add_argument("flavor", choices=tuple(_MAKERS))
    make.add_argument("directory", type=Path)
    make.set_defaults(run=_make_model)


def demo_model(flavor: str) -> Path:
    """The demo model of `flavor`, made at its first use."""
    folder = MODELS / flavor
    if not (folder / "MLmodel").exists():
        _make(flavor, folder)
    return folder


def _make(flavor: str, folder: Path) -> None:
    print(f"making the {flavor} demo model in {folder}", file=sys.stderr, flush=True)
    module, function = _MAKERS[flavor]
    getattr(import_module(module), function)(folder)


def _make_model(options: argparse.Namespace) -> int:
    _make(options.flavor, options.directory)
    print(options.directory)
    return 0
