"""Names and sizes that the plans of watched runs and the runs themselves share."""

from typing import Any

from koopscope.training.names import MODELS

# Networks of a setup (koopscope.config.setup), and those of koopscope.training.models that take the
# grey images that there are.
FULLY_CONNECTED = "mlp"
GREY_MODELS = tuple(name for name, model in MODELS.items() if model.image[0] == 1)
# Kinds of initial weights; the others are measured by the first.
PLAIN = "plain"
INIT_SCHEMES = (PLAIN, "he", "small", "large", "dead", "nearly_dead", "symmetric", "saturated")
# Snapshots in a window: two epochs at eight snapshots each. Fixed on the bundled digits before any
# other data were run.
WINDOW = 17


def pair_coordinates(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Coordinates of pairs, of which the first is measured against the second."""
    first, second = zip(*pairs, strict=True)
    return {
        "pair": [f"{one} − {other}" for one, other in pairs],
        "first": ("pair", list(first)),
        "second": ("pair", list(second)),
    }
