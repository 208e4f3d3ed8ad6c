"""`python -m scorebench`."""

import sys

from scorebench.cli import main

sys.exit(main())
