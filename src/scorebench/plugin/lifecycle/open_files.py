"""How many files this process may open: each user holds a connection, and a connection is a file.

Knows the operating system's limit; nothing of the run but its number of users.
"""

from __future__ import annotations

import resource
from contextlib import suppress

from scorebench.errors import InputError

SPARE = 64
"""For all that is no user's connection: libraries, the loop, Locust's messages, the report."""

MOST = 100_000
"""Files of one process: it runs out of ports before."""


def make_room(users: int) -> None:
    """Raise this process's own limit as far as `users` need it. InputError where that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = users + SPARE
    if _allows(soft, needed):
        return
    if not _allows(hard, needed):
        raise InputError(
            f"--users: found {users:,} in one process, which may open {hard:,} files (ulimit -Hn); "
            f"expected at most {max(hard - SPARE, 0):,}. Raise that limit, or spread the users over "
            "more processes (--processes)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def make_most_room() -> None:
    """Raise this process's own limit as far as it goes: a worker learns its number of users too late."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _allows(soft, MOST):
        return
    with suppress(ValueError, OSError):  # some systems report a limit that they don't grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (MOST if _allows(hard, MOST) else hard, hard))


def _allows(limit: int, files: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= files
