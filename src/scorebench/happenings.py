"""What can happen in a run besides calls: the words that recordings keep. Knows words alone."""

SERVER_RESTARTED = "server restarted"
SERVER_ENDED = "server ended"
STOPPED_EARLY = "stopped early"
"""By --stop-when: whatever else the run shows, it was lost."""
LEFT_ALONE = "left alone"
"""The command that had started the run was killed; the run ended itself."""
