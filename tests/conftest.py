"""What holds for every test: no deadline for an example, and SIGINT as a terminal gives it."""

from __future__ import annotations

import signal

from hypothesis import settings

# Machines that run tests are shared.
settings.register_profile("scorebench", deadline=None)
settings.load_profile("scorebench")

# A shell that runs tests in the background has them ignore SIGINT, and what they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
