"""Hostile servers and signals: what must become of a call, and of a run, beside the log."""
