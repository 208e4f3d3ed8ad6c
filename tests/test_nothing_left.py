"""After a load no open file and no greenlet stays, however many calls it had. Counted in the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.scoring_server import scoring_server

CODE = """
import argparse, gc, json, os, sys
from scorebench.plugin.users import passes  # first: Locust patches sockets
import gevent
from scorebench.options import settings
from scorebench.runs.prepare import payload_of

url, calls = sys.argv[1], [int(one) for one in sys.argv[2:]]
asked = settings.from_namespace(argparse.Namespace(rows=5, num_users=4), url)
payload = payload_of(asked)

def left():
    gc.collect()
    alive = [one for one in gc.get_objects() if isinstance(one, gevent.Greenlet) and not one.dead]
    return [len(os.listdir("/proc/self/fd")), len(alive)]

found = []
for count in calls:
    made = passes.walk(asked, payload, users=4, calls=count, on_call=lambda _: None, wanted=lambda _: False)
    gevent.sleep(0.1)
    found.append([made.measured.calls, *left()])
print(json.dumps(found))
"""


def test_calls_leave_no_open_file_and_no_greenlet(tmp_path: Path) -> None:
    """Four users, 50 calls each, then 2,500 and 5,000 each: as many of both after each walk."""
    with scoring_server() as server:
        done = subprocess.run(
            [sys.executable, "-c", CODE, server.url, "50", "2500", "5000"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    calls, files, greenlets = zip(*json.loads(done.stdout.splitlines()[-1]), strict=True)
    assert calls == (200, 10_000, 20_000)
    assert len(set(files)) == 1, files
    assert greenlets[1] == greenlets[2], greenlets
