"""What came back, and what it is worth. Knows HTTP's bytes and MLflow's replies; no time, no socket."""
