"""What a call to SageMaker costs to sign: SigV4 by botocore, for bodies of several sizes.

The signature holds a hash of the body and the time, so that it can't be made before it. It is made ahead of
the call's clock, and keeps the generator from sending as much as it could.
"""

from __future__ import annotations

import argparse
import os
import sys
import timeit
from collections.abc import Sequence
from functools import partial

from scorebench.client.sign_ins.record import Wanted
from scorebench.client.sign_ins.sagemaker import SAGEMAKER, target_of

REGION = "eu-central-1"
BODIES = {"one row, 300 B": 300, "100 rows, 10 kB": 10_000, "the most that SageMaker takes, 6 MiB": 6 * 2**20}
# Any will do for the arithmetic; nothing is sent.
PAIR = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "an-example",
    "AWS_SESSION_TOKEN": "x" * 800,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="of which the best counts (7)")
    options = parser.parse_args(arguments)
    os.environ.update(PAIR)
    wanted = Wanted("sagemaker://wine", (("region", REGION),))
    sign, target = SAGEMAKER.open(wanted).fetch().sign, target_of(wanted)
    assert sign is not None
    print("| body | to sign a call | calls a second, at most, of a generator's core |\n| --- | ---: | ---: |")
    for name, size in BODIES.items():
        body = b"x" * size
        times = timeit.Timer(partial(sign, target, body, {"Content-Type": "application/json"}))
        number, _ = times.autorange()
        each_s = min(times.repeat(options.rounds, number)) / number
        print(f"| {name} | {each_s * 1e3:.2f} ms | {1 / each_s:,.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
