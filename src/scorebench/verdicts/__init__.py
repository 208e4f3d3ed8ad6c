"""Is the measurement valid, and are the limits met? Knows figures; no report."""
