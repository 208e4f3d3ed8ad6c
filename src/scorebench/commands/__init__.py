"""The `scorebench` commands, a module each: `add` defines the arguments and the function to call."""
