"""Load-test MLflow scoring servers with Locust.

From Python: `scorebench.run("http://localhost:5001", users=5, run_time="30s", limits=["p99<50ms"])`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scorebench.api.advise import advise, plan
    from scorebench.api.compare import Compared, compare
    from scorebench.api.result import Result
    from scorebench.api.run import read, run
    from scorebench.api.soak import soak
    from scorebench.api.sweep import sweep
    from scorebench.errors import InputError
    from scorebench.figures.summary import Summary
    from scorebench.servers.protocol import ServerFailed
    from scorebench.verdicts.verdict import Verdict

__all__ = [
    "Compared",
    "InputError",
    "Result",
    "ServerFailed",
    "Summary",
    "Verdict",
    "__version__",
    "advise",
    "compare",
    "plan",
    "read",
    "run",
    "soak",
    "sweep",
]

__version__ = "0.1.0"
_WHERE = {
    "run": "scorebench.api.run",
    "read": "scorebench.api.run",
    "compare": "scorebench.api.compare",
    "Compared": "scorebench.api.compare",
    "sweep": "scorebench.api.sweep",
    "soak": "scorebench.api.soak",
    "advise": "scorebench.api.advise",
    "plan": "scorebench.api.advise",
    "Result": "scorebench.api.result",
    "Summary": "scorebench.figures.summary",
    "Verdict": "scorebench.verdicts.verdict",
    "InputError": "scorebench.errors",
    "ServerFailed": "scorebench.servers.protocol",
}


def __getattr__(name: str) -> Any:
    """Imported when asked for: the command starts without them."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    """What a notebook offers to complete: also what was not asked for yet."""
    return sorted({*globals(), *__all__})
