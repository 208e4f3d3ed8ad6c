"""The locustfile of `scorebench run`, which works without a checkout."""

from scorebench.plugin import ScoringUser


class Scorer(ScoringUser):
    """Posts rows to the server's scoring path."""
