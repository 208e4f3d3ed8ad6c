"""Is the measurement valid, and were the limits met? Knows figures; no report."""
