"""Holds the model to its speed, as another test holds it to its accuracy.

MODEL_URL is a server that runs; without it, MLflow's own server is brought up with the model in `model/`.
"""

import os

import pytest

import scorebench

TARGET = os.environ.get("MODEL_URL", "webserver")
OPTIONS = {} if "://" in TARGET else {"model": "model", "port": 0}


@pytest.fixture(scope="module")
def measured():
    """One run for all tests of this file."""
    return scorebench.run(
        TARGET,
        users=4,
        run_time="10s",
        warm_up="1s",
        limits=["p95<250ms", "valid>=100%"],
        quiet=True,
        **OPTIONS,
    )


def test_the_figures_can_be_trusted(measured):
    """Red where the machine that runs the tests is too weak to tell."""
    assert measured.valid_measurement, str(measured)


def test_the_model_is_fast_enough(measured):
    """Every limit was kept."""
    assert measured.met, str(measured)


def test_it_serves_what_we_need(measured):
    """Any figure can be asked for: 20 valid answers a second at least."""
    assert measured.throughput_per_s > 20, str(measured)
