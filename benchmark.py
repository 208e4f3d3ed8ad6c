"""One caller, one pass over the data: `python -u benchmark.py --host localhost --port 5001`."""

import sys

from scorebench.scripts import main

if __name__ == "__main__":
    sys.exit(main(threaded=False))
