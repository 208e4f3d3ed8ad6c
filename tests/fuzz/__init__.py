"""Fuzzing of all that is read: from a server, a file, a worker or a person. `targets` says what must hold."""
