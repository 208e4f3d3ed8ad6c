"""MLflow's own Docker image of a model, which holds the model. Knows how it is run; MLflow generates it."""

from __future__ import annotations

from scorebench.servers.container import ContainerSpec

KIND = "docker"
PORT = 5002
# MLflow's documentation runs it with a bare `docker run`; an init reaps what its workers leave.
SPEC = ContainerSpec(kind=KIND, init=True)
