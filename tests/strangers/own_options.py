"""Options of its own, with names that others use too, also in a group, one of them secret."""

import json

from locust import HttpUser, constant, events, task

NAMES = ("model", "data", "format", "region")


@events.init_command_line_parser.add_listener
def add_options(parser):
    for name in NAMES:
        parser.add_argument(f"--{name}", default=f"my {name}", help="mine")
    group = parser.add_argument_group("mine")
    group.add_argument("--seed", type=int, default=5)
    group.add_argument("--timeout", type=float, default=2.5)
    parser.add_argument("--iterations", type=int, default=3, dest="rounds")
    parser.add_argument("--api-key", default="", is_secret=True)
    parser.add_argument("--tenant", default="")
    parser.add_argument("--tokens", type=int, default=1)


@events.test_start.add_listener
def tell(environment, **_):
    options = environment.parsed_options
    names = (*NAMES, "seed", "timeout", "rounds", "tenant", "tokens", "run_time", "stop_timeout")
    print("options", json.dumps({name: getattr(options, name) for name in names}))


class WithOptions(HttpUser):
    wait_time = constant(0.05)

    @task
    def one(self):
        self.client.post("/a", json={"model": self.environment.parsed_options.model})
