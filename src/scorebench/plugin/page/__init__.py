"""What is shown while a run goes on: Locust's page, its start form, the terminal."""
