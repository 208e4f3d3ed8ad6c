"""Runs side by side: what changed between sets of them, and every server with every flavor."""
