"""Locust's own two users, each posting the bench's body as fast as it is answered; `peers.py` starts them."""

from __future__ import annotations

from pathlib import Path

from locust import FastHttpUser, HttpUser, task

BODY = Path("body.json").read_text(encoding="utf-8")  # in the folder that the bench starts Locust in
HEADERS = {"Content-Type": "application/json"}


class Fast(FastHttpUser):
    """Locust's fast client."""

    @task
    def call(self) -> None:
        self.client.post("/invocations", data=BODY, headers=HEADERS)


class Plain(HttpUser):
    """Locust's client on requests."""

    @task
    def call(self) -> None:
        self.client.post("/invocations", data=BODY, headers=HEADERS)
