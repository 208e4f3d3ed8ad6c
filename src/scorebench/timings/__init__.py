"""Measures a scoring server from inside: its stages, in the standard header `Server-Timing`.

Runs inside the server, so it imports Python's library alone, and MLflow where it wraps MLflow: nothing else
of scorebench. Three ways in:

    python -m scorebench.timings mlflow models serve -m model -p 5001 --env-manager local
    uvicorn scorebench.timings.app:app            # where you start MLflow's server by hand
    app.add_middleware(ServerTiming)              # an ASGI application of your own; `stage` names its parts
"""

from __future__ import annotations

from scorebench.timings.middleware import ServerTiming, stage

__all__ = ["ServerTiming", "stage"]
