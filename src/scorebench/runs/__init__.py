"""Runs from outside: what a command or a Python call asks for, launched, published, read back."""
