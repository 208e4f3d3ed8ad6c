"""The `scorebench` command's verbs, a module each: `add` says what it takes, its function does it."""
