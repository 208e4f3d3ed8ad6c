"""A server's Prometheus metrics, read while it is under load, by a process of their own."""
