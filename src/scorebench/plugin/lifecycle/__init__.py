"""The life of a run from its options to its report, in one process or with workers."""
