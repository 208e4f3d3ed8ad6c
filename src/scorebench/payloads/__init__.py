"""What is sent: rows of a file, of a model's example or signature, encoded. Pure but for reading files."""
