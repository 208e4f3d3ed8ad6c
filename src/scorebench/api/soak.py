"""`scorebench.soak`: a soak from Python, as the command would do it. Wiring."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from scorebench.api.keywords import parsed

if TYPE_CHECKING:
    from scorebench.soaks.found import Soak


def soak(target: str, **options: Any) -> Soak:
    """Hold a load for hours: `scorebench.soak("http://localhost:5001", rate=50, run_time="8h")`.

    `target` and `options` are those of `scorebench soak`, with underscores. Progress goes to stderr,
    the files into a folder, `Soak.folder`. InputError for wrong input, or where a file could not be written;
    KeyboardInterrupt after Ctrl-C, once the files are written.
    """
    from scorebench.errors import InputError
    from scorebench.runs import soak as soaks
    from scorebench.runs import soak_options
    from scorebench.soaks.found import Ended

    wanted = soaks.Soaking.of(parsed(target, options, command="soak", add=soak_options.add))
    quiet = wanted.request.settings.quiet
    with wanted.folder() as path:
        found = wanted.measure(path, (lambda _: None) if quiet else _say)
        if lost := soaks.leave(found, path):
            raise InputError(lost)
    if found.ended is Ended.STOPPED:
        raise KeyboardInterrupt
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
