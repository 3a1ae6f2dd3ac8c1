"""Networks by name, with what planning needs to know of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelFacts:
    """What a plan asks of a network of :mod:`koopscope.training.models`.

    Attributes
    ----------
    image
        Channels, and pixels a side, of what it takes.
    parameters, weights, classifier, layers
        Numbers of all parameters, of the weights of its layers, of those of the last layer, and of
        layers.
    """

    image: tuple[int, int]
    parameters: int
    weights: int
    classifier: int
    layers: int

    @property
    def pixels(self) -> int:
        """Length of one input vector."""
        return self.image[0] * self.image[1] ** 2


MODELS = {
    "mnistnet": ModelFacts((1, 28), 431_080, 430_500, 5_000, 4),
    "resnet20": ModelFacts((3, 32), 269_722, 268_336, 640, 20),
}
