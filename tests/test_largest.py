"""The largest body that passes: found by halving, and sent for real to a server that counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.folders.sweeps import read_sweep
from scorebench.sweeps.largest import MOST_CALLS, MOST_ROWS, Gone, Of, Tried, search
from tests.commands import ROOT, here, scorebench

WINE = str(ROOT / "payloads" / "wine.csv")
OF = Of("webserver", "sklearn", 1, "split")
HEAD = 300  # bytes of a body besides its rows


def server(limit_rows: int, row_bytes: int, made: list[int], most_bytes: int = 10**9) -> object:
    """Takes bodies of up to so many rows; `made` are those that it was asked for."""

    def attempt(rows: int) -> Tried:
        made.append(rows)
        size = HEAD + rows * row_bytes
        return Tried(rows, size, None if rows <= limit_rows or size > most_bytes else "too large")

    return attempt


@given(st.integers(0, 2 * 10**6), st.integers(1, 10_000), st.integers(1_000, 10**9))
def test_the_edge_is_found(limit_rows: int, row_bytes: int, most_bytes: int) -> None:
    """Whatever the server takes: what passed is within, what failed beyond; the gap is 2 % or a row."""
    made: list[int] = []
    found = search(OF, most_bytes, server(limit_rows, row_bytes, made, most_bytes))  # type: ignore[arg-type]
    may = min((most_bytes - HEAD) // row_bytes, MOST_ROWS)  # rows of the largest body that may be tried
    assert found.calls == len(made) <= MOST_CALLS
    assert found.passed.rows <= min(limit_rows, may)
    assert found.passed.size_bytes <= most_bytes
    if found.failed is not None:
        assert found.failed.rows > limit_rows
    if limit_rows < may:
        assert found.failed is not None
        assert found.failed.rows - found.passed.rows <= max(1, 0.02 * found.passed.rows)
    else:
        assert found.failed is None
        assert may - found.passed.rows <= max(1, 0.02 * found.passed.rows)


def test_a_server_that_is_gone_ends_the_search() -> None:
    """A body of 64 rows kills it: nothing more is sent, and nothing that fails then counts as an edge."""
    made: list[int] = []

    def attempt(rows: int) -> Tried:
        made.append(rows)
        if rows >= 64:
            raise Gone(Tried(rows, rows, "no server listens"))
        return Tried(rows, rows)

    found = search(OF, 10**6, attempt)
    assert made == [1, 4, 16, 64]
    assert (found.passed.rows, found.failed) == (16, Tried(64, 64, "no server listens"))


@contextmanager
def taking(most_bytes: int) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """An HTTP server that answers bodies up to that size with a prediction a row, and others with 413."""
    log: list[tuple[int, int]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200, b"3.17.2")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            rows = len(json.loads(body)["dataframe_split"]["data"])
            log.append((rows, len(body)))
            if len(body) > most_bytes:
                self._answer(413, b"Payload Too Large")
            else:
                self._answer(200, json.dumps({"predictions": [1.0] * rows}).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}", log
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def test_a_sweep_over_sizes_and_columns_that_looks_for_the_largest_body(tmp_path: Path) -> None:
    """Two sizes and two numbers of columns, one run each; then the edge of a server that takes 50 kB.

    The server's log has the bodies of each size, within a row of what was asked for, and the edge.
    """
    words = ["--body-size", "2kB,20kB", "--columns", "3,12", "--users", "1", "--repeats", "1"]
    times = ["-t", "1s", "--warm-up", "100ms", "--budget", "5m", "--largest-body", "1MB"]
    with taking(50_000) as (url, log):
        done = scorebench(tmp_path, "sweep", url, "--data", WINE, *words, *times)
    assert done.code == 0, done.err + done.out
    (folder,) = (tmp_path / "reports").glob("*-sweep")
    found = read_sweep(folder)
    assert {cell.place.columns for cell in found.cells} == {3, 12}
    for cell in found.cells:
        (run,) = cell.runs
        assert run.ok, run
        assert cell.place.columns is not None
        wanted = 2_000 if run.body_bytes < 10_000 else 20_000  # type: ignore[operator]
        assert abs((run.body_bytes or 0) - wanted) < 0.1 * wanted
        assert cell.place.rows_per_call in {rows for rows, _ in log}
    (largest,) = found.largest
    assert largest.failed is not None
    assert largest.passed.size_bytes <= 50_000 < largest.failed.size_bytes
    assert (largest.passed.rows, largest.passed.size_bytes) in log
    assert largest.failed.size_bytes - largest.passed.size_bytes < 0.04 * 50_000
    assert "(status 413)" in done.out
    assert "Largest body" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--columns", "3,99"], "--columns 99: the data has 11"),
        (["--columns", "0"], "--columns 0: expected a comma-separated list of whole numbers"),
        (["--body-size", "2"], "--body-size 2: expected a comma-separated list of sizes"),
        (["--body-size", "2kB", "--rows-per-call", "3"], "--body-size: makes bodies"),
        (["--body-size", "900MB"], "give more data, or smaller sizes"),
        (["--largest-body", "big"], "--largest-body big: expected a size in B, kB, MB"),
    ],
)
def test_what_can_not_be_varied_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    """One line and exit 2, before anything is sent."""
    done = here(tmp_path, "sweep", "http://127.0.0.1:9", *words)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
