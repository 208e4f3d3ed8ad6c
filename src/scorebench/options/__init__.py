"""What may be asked of a run: its options, their checks, and the settings that they become."""
