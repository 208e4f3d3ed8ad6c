"""SageMaker's rules for a container that serves a model, which every container of ours is held to."""

from __future__ import annotations

CONTAINER_PORT = 8080
PING_TIMEOUT_S = 2.0
"""The most that an answer to GET /ping may take."""
READY_WITHIN_S = 240.0
"""From the start to the first healthy ping."""
STOPPED_WITHIN_S = 30
"""From SIGTERM to SIGKILL."""
BODY_LIMIT_BYTES = 6_291_456
"""6 MiB: the largest body that a real-time endpoint takes."""
