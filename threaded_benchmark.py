"""N callers, one pass each, a table of them: `python -u threaded_benchmark.py --num_threads 5`."""

import sys

from scorebench.scripts import main

if __name__ == "__main__":
    sys.exit(main(threaded=True))
