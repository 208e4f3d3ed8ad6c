"""What holds for every test: no deadline for an example, since machines that run tests are shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("scorebench", deadline=None)
settings.load_profile("scorebench")
