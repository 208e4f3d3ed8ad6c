"""What `scorebench soak` takes besides the options of a run. Knows argparse; does nothing."""

from __future__ import annotations

from typing import Any

from scorebench.options.values import path_of
from scorebench.runs import arguments

DEFAULT_PART = "1h"


def add(parser: Any) -> None:
    """The options of a soak, for a shell and for Python alike; the target is the caller's."""
    parser.add_argument(
        "--part",
        default=DEFAULT_PART,
        metavar="TIME",
        help=f"length of each run; the load pauses for seconds in between (default: {DEFAULT_PART})",
    )
    parser.add_argument(
        "--resume",
        type=path_of,
        metavar="DIR",
        help="go on with the soak in this folder; give the same words",
    )
    arguments.add_load(parser, "how long to hold the load, such as 8h or 3d; must be given")
    arguments.add_options(parser)
    arguments.add_server(parser)
    arguments.add_place(parser)
