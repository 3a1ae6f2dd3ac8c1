"""Names that the plan, the runs and the figures of known answers share."""

from dataclasses import dataclass

EQUIVALENT, DIFFERENT = "equivalent", "different"
NETWORKS = "networks"


@dataclass(frozen=True)
class Named:
    """A case: two pools of runs of which it is known whether they are conjugate.

    Attributes
    ----------
    name
        Of the case.
    answer
        ``"equivalent"`` or ``"different"``.
    core
        Whether it is an exact symmetry of what people compare, which no verdict may see.
    same_curve
        Whether the loss curves of both sides have one distribution.
    system
        What runs.
    because
        Why the answer is known.
    """

    name: str
    answer: str
    core: bool
    same_curve: bool
    system: str
    because: str


def _same(name: str, because: str, core: bool = False, same_curve: bool = True) -> Named:
    return Named(name, EQUIVALENT, core, same_curve, NETWORKS, because)


def _other(name: str, because: str, same_curve: bool = False) -> Named:
    return Named(name, DIFFERENT, False, same_curve, NETWORKS, because)


OF_NETWORKS = (
    _same("fresh seeds", "the same setup", core=True),
    _same("permuted pixels", "the first layer does not see the order of its inputs", core=True),
    _same("renamed classes", "renaming classes renames outputs", core=True),
    _same("units permuted", "hidden units in another order are the same function", core=True),
    _same("units rescaled", "ReLU: inputs times c, outputs over c are the same function", core=True),
    _same("weights rescaled", "each weight times a constant of its own", core=True),
    _same("weights bent", "each weight through a monotone map of its own"),
    _same("weights rotated", "all weights through a random rotation"),
    _same("weights mixed 10", "all weights through a linear map of condition 10"),
    _same("weights mixed 100", "all weights through a linear map of condition 100"),
    _same("weights warped", "all weights through a smooth invertible map"),
    _same(
        "loss times 8",
        "loss times c with rate over c is the same step of the weights",
        same_curve=False,
    ),
    _other("increments shuffled", "the steps in another order", same_curve=True),
    _other("fluctuations shuffled", "what is beside a moving mean in another order", True),
    _other("time reversed", "the last state first", same_curve=True),
    _other("random walk", "independent steps of the same mean and covariance", same_curve=True),
    _other("autoregressive", "a stationary process of the same covariance", same_curve=True),
    _other(
        "units breathing",
        "scales of units move in time along a symmetry: another map, the same function and loss",
        same_curve=True,
    ),
    _other("rate 0.8", "learning rate times 0.8"),
    _other("rate 0.5", "learning rate times 0.5"),
    _other("batch 0.5", "half the batch size"),
    _other("momentum", "momentum of 0.9 at a tenth of the rate, the same mean step"),
    _other("adam", "another optimiser"),
    _other("tanh", "another activation"),
    _other("h5", "half the width"),
    _other("h40", "four times the width"),
    _other("h5 h40", "an eighth of the width"),
)
CASES: dict[str, Named] = {case.name: case for case in OF_NETWORKS}
# Methods: the first word of those of spectra, what these may observe, and the plain ones.
SPECTRUM = "spectrum"
OBSERVABLES = ("weights", "probe", "loss")
PLAIN = (
    "loss curves",
    "weight norms",
    "logged scalars",
    "linear CKA",
    "hidden Markov model",
    "DSA",
)
