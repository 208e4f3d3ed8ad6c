"""Runs from outside: what a command or a Python call requests, launched, published, read back."""
