"""What Locust's page shows while a run goes on, and its start form."""
