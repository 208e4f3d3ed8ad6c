"""What the files of a run's folder are called. Knows names alone, for modules that must import quickly."""

RECORDING = "recording.json"
JOURNAL = "recording.journal"
"""The recording as far as it was written down, of a run that was killed."""
SUMMARY = "summary.json"
USERS = "users.csv"
REQUESTS = "requests.csv"
"""Only where a locustfile sends different requests."""
SECONDS = "seconds.csv"
PAGE = "report.html"
CALLS = "calls.parquet"
LATEST = "latest"
SERVER_LOG = "server.log"
CAPACITY = "capacity.json"
CAPACITY_TEXT = "capacity.txt"
MATRIX_MARKDOWN, MATRIX_CSV, MATRIX_JSON = "matrix.md", "matrix.csv", "matrix.json"
VERSUS = "versus.json"
SWEEP, SWEEP_TEXT, SWEEP_CSV, SWEEP_PLAN = "sweep.json", "sweep.txt", "sweep.csv", "plan.json"
SOAK, SOAK_TEXT, SOAK_CSV, SOAK_PLAN, SOAK_PARTS = (
    "soak.json",
    "soak.txt",
    "soak.csv",
    "soak-plan.json",
    "parts",
)
