"""The highest rate that keeps the limits: a search, its steps, its sentences."""
