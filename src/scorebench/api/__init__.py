"""scorebench from Python: the same runs, their results as objects."""
