"""All analytic systems of known answers, by the names of their cases."""

from koopscope.experiments.known_answers.systems import (
    level_sets,
    linear_networks,
    online,
    plateaus,
    quadratics,
)
from koopscope.experiments.known_answers.systems.pools import Pair

# What is known of each is in koopscope.experiments.known_answers.names.
SYSTEMS: dict[str, Pair] = {
    **online.PAIRS,
    **linear_networks.PAIRS,
    **quadratics.PAIRS,
    **plateaus.PAIRS,
    **level_sets.PAIRS,
}
