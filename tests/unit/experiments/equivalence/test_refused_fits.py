"""Fits that the trajectories of their setups cannot give."""

import pytest

from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.setup import NetworkSetup, OnlineSetup
from koopscope.errors import InputError
from koopscope.experiments.equivalence.plan import refuse_fit

DIGITS = DataSpec("digits", "digits")


@pytest.mark.parametrize(
    ("fit", "match"),
    [
        (FitSpec(delays=9), "delays: 9 delays need at least 11 states, but a run has 10; .* 8"),
        (FitSpec(delays=8, rank=4), "rank: 4 is more than the data can give; give at most 3"),
        (FitSpec(rank=21), "rank: 21 is more than the data can give; give at most 20"),
        (FitSpec(stop=11), "stop: 11 is beyond the 10 states of a run"),
        (FitSpec(initialisations=4), "initialisations: the fit asks for 4, the setup has 3"),
        (FitSpec(delays=4, stride=2), "delays: 4 delays need at least 6 states, but a run has 5"),
        (
            FitSpec(observable="sketch"),
            "observable: 'sketch' is not recorded; give the setup a sketch",
        ),
    ],
)
def test_a_fit_that_its_setup_cannot_serve_is_refused(fit, match):
    setup = NetworkSetup(DIGITS, hidden_widths=(2,), steps=10, initialisations=3)
    with pytest.raises(InputError, match=match):
        refuse_fit(fit, setup)
    refuse_fit(FitSpec(delays=8, rank=3), setup)
    refuse_fit(FitSpec(rank=20), setup)


def test_an_online_optimiser_records_its_weights_alone():
    with pytest.raises(InputError, match="observable: 'probe' is not recorded; give weights"):
        refuse_fit(FitSpec(observable="probe"), OnlineSetup("omd"))
