"""What `locust` loads here: a user that posts the demo's rows, or whatever --data and --model say."""

from scorebench.plugin import ScoringUser


class Scorer(ScoringUser):
    """Posts rows to /invocations, one kept-alive connection a user."""
