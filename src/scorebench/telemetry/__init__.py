"""A run's own counts for other programs: Prometheus' text, and OpenTelemetry's protocol."""
