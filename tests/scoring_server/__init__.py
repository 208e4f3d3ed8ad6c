"""A fake scoring server with known answers, known times and a log, for tests to assert against.

    with scoring_server(Behaviour(service=Exponential(0.010), script={3: replies.RESET})) as server:
        run_something(server.url)
    assert [record.status for record in server.log()] == [200, 200, 200, None, 200]

What it can answer stands in `replies`, how it behaves in `Behaviour`, what it writes down in `Record`.
"""

from __future__ import annotations

from tests.scoring_server import replies
from tests.scoring_server.behaviour import Behaviour, Record
from tests.scoring_server.handle import ScoringServer, scoring_server
from tests.scoring_server.ports import Certificates, certificates, refusing_port, silent_port
from tests.scoring_server.replies import End, Framing, Predictions, Read, Reply
from tests.scoring_server.scoring import predict, rows_of
from tests.scoring_server.service import Constant, Draw, Exponential, TwoHumps

__all__ = [
    "Behaviour",
    "Certificates",
    "Constant",
    "Draw",
    "End",
    "Exponential",
    "Framing",
    "Predictions",
    "Read",
    "Record",
    "Reply",
    "ScoringServer",
    "TwoHumps",
    "certificates",
    "predict",
    "refusing_port",
    "replies",
    "rows_of",
    "scoring_server",
    "silent_port",
]
