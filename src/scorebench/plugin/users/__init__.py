"""The users: their classes, what they share, and the batches of their calls. The hot path."""
