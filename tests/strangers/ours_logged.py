"""Locust's own CSV logger beside users of scorebench."""

from locust import events
from locust.contrib.csv_request_logger import CsvRequestLogger

from scorebench.plugin import ScoringUser


@events.init.add_listener
def on_init(environment, **_):
    CsvRequestLogger("requests.csv").register(environment)


class Ours(ScoringUser):
    fixed_count = 1
