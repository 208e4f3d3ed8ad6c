"""When what happens: a run from its options to its report, alone or over workers."""
