"""The locustfile of `scorebench run`, which works without a checkout."""

import logging

from scorebench.plugin import ScoringUser

# Users start as fast as they can connect, on purpose; Locust warns of more than 100 a second.
logging.getLogger("locust.runners").addFilter(
    lambda record: "spawn rate is very high" not in record.getMessage()
)


class Scorer(ScoringUser):
    """Posts rows to the server's scoring path."""
