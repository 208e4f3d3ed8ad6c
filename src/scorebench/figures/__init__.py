"""A recording becomes numbers, with their bounds. Statistics; no files, no wording, no verdict."""
