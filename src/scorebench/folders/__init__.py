"""The folders that runs leave: their files, written and read back."""
