"""One target under Atheris, with libFuzzer's own arguments: `python -m tests.fuzz.one NAME …`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["scorebench"]):
    from tests.fuzz.targets import TARGETS

name = sys.argv.pop(1)
atheris.Setup(sys.argv, TARGETS[name])
atheris.Fuzz()
