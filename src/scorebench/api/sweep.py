"""`scorebench.sweep`: a sweep from Python, as the command would do it. Wiring."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from scorebench.api.keywords import parsed
from scorebench.runs import sweep_options

if TYPE_CHECKING:
    from scorebench.sweeps.found import Sweep

_LISTS = {"rows_per_call", "body_size", "columns", "format", "users", "workers", "flavors"}


def sweep(target: str, **options: Any) -> Sweep:
    """Measure every combination: `scorebench.sweep("webserver", users=[1, 2, 4], rows_per_call=[1, 100])`.

    `target` and `options` are those of `scorebench sweep`, with underscores; what is varied may be a list.
    Progress goes to stderr, the files into a folder, `Sweep.folder`. InputError for wrong input;
    KeyboardInterrupt after Ctrl-C, once the files are written.
    """
    from scorebench.errors import InputError
    from scorebench.runs.request import command_of
    from scorebench.runs.sweep import Sweeping
    from scorebench.runs.sweep_files import leave, sweep_folder
    from scorebench.sweeps.found import Ended

    chosen = parsed(target, options, command="sweep", add=sweep_options.add, with_commas=_LISTS)
    command = command_of(chosen.words)
    wanted = sweep_options.wanted(chosen, command)
    with sweep_folder(wanted, command) as path:
        found = Sweeping(wanted, path, (lambda _: None) if wanted.quiet else _say).measure()
        if lost := leave(found, path):
            raise InputError(lost)
    if found.ended is Ended.STOPPED:
        raise KeyboardInterrupt
    return found


def _say(line: str) -> None:
    print(f"cell {line}", file=sys.stderr, flush=True)
