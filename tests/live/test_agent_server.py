"""MLflow's own AgentServer streams to a run, whose first chunks are those of the agent's own log."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from tests.commands import scorebench

from scorebench.servers import ports

AGENT = """
import asyncio, sys, time
import mlflow, uvicorn
from mlflow.genai.agent_server import AgentServer, invoke, stream

mlflow.tracing.disable()
log = open(sys.argv[2], "w", buffering=1)

@invoke()
async def answer(request):
    return {"n": 0}

@stream()
async def chunks(request):
    if request.get("fail"):
        yield {"n": 0}
        raise RuntimeError("the agent broke")
    for n in range(5):
        await asyncio.sleep(0.002)
        if n == 0:
            log.write(f"{time.time()}\\n")
        yield {"n": n}

uvicorn.run(AgentServer().app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
READY_S = 60
CALLS = 150
"""Enough for a p95."""


@contextmanager
def agent_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """The URL of an AgentServer, and the file in which its agent notes when it gave each first chunk."""
    port, log = ports.claim(0), folder / "chunks.log"
    (folder / "agent.py").write_text(AGENT)
    with (folder / "agent.log").open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "agent.py", str(port), str(log)], cwd=folder, stdout=told, stderr=told
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}", log
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + READY_S
    while time.monotonic() < end_s and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url}: no answer; the process ended with {process.poll()}")


def test_first_chunks_are_the_agents(tmp_path: Path) -> None:
    """Each came after the agent gave it, and at best within 2 ms; an error in a stream is a model error.

    With one user calls and lines of the log have the same order. Both clocks are the host's own time, which
    the generator reads once: a millisecond is left for that.
    """
    asked = [{"messages": [{"role": "user", "content": text}]} for text in ("hello", "and you?")]
    (tmp_path / "chats.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in asked))
    (tmp_path / "bad.json").write_text(json.dumps({"inputs": ["x"], "fail": True}))
    with agent_server(tmp_path) as (url, log):
        words = ["--stream", "--users", "1", "--calls"]
        limit = ["--limit", "first_chunk_p95<20s"]
        chats = ["--body", "chats.jsonl", *words, str(CALLS), *limit]
        done = scorebench(tmp_path, "run", url, *chats, "--keep-calls")
        given_s = [float(line) for line in log.read_text().split()]
        failed = scorebench(tmp_path, "run", url, "--body", "bad.json", *words, "3", "--report-dir", "failed")
    assert done.ends_with(0), done.out + done.err
    assert (done.summary["streams"]["streams"], done.summary["streams"]["chunks"]) == (CALLS, 5 * CALLS)
    kept = pd.read_parquet(done.folders[0] / "calls.parquet").sort_values("sent_s")
    late_s = kept["sent_s"] + kept["first_chunk_s"] - given_s
    print(f"first chunks after the agent's log: median {late_s.median() * 1e3:.2f} ms")
    assert late_s.min() > -0.001
    assert late_s.min() < 0.002
    assert late_s.median() < 0.050
    assert "model error  3" in failed.out
    assert "the agent broke" in failed.out
