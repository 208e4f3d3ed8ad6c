"""What was measured: batches of calls become tallies that add up, and a folder. Knows no figure's meaning."""
