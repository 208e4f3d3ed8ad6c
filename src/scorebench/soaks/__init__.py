"""Hours at one load: what changed, and whether anything rises. Knows recordings; starts nothing, no files."""
