"""Pairs of ways to train of which it is known beforehand whether a verdict may tell them apart.

*Equivalent*: one smooth invertible map of the states carries the runs of one side to runs of the
other, in law, as far as the case does not say how far. *Different*: there is no such map, since it
would keep what differs, as the eigenvalues of a fixed point. Smooth, since a homeomorphism alone
keeps far less: all contractions of one dimension are one to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from koopscope.experiments.known_answers.vocabulary import DIFFERENT, EQUIVALENT


@dataclass(frozen=True)
class Named:
    """A pair, and what is known of it.

    Attributes
    ----------
    name
        Of the pair, the first side before the second.
    answer
        ``"equivalent"`` or ``"different"``.
    core
        Whether it is a symmetry that no verdict may see: a false positive there rules a method out.
    same_curve
        Whether the loss curves of both sides have the same distribution.
    system
        What is trained.
    because
        Why the answer is known.
    """

    name: str
    answer: str
    core: bool
    same_curve: bool
    system: str
    because: str


def by_name(cases: Iterable[Named]) -> dict[str, Named]:
    """Cases by their names, in order.

    Raises
    ------
    ValueError
        If two have one name.
    """
    found: dict[str, Named] = {}
    for case in cases:
        if case.name in found:
            raise ValueError(f"two cases are called {case.name!r}")
        found[case.name] = case
    return found


# Losses g of f(x) = Σ g(x_i), as in koopscope.config.setup.
LOSSES = ("tan", "cubic", "linear")
# With the linear loss the dual variable of any mirror map moves at constant speed: its runs lie in
# as many directions as it has coordinates and one more, and have no spectrum of a higher rank.
BENT_LOSSES = ("tan", "cubic")
MIRROR_MAPS = ("barrier", "entropy", "tsallis")

_MIRROR = "mirror and gradient descent"

ONLINE = (
    *(
        Named(
            f"omd/ogd {loss}",
            EQUIVALENT,
            core=True,
            same_curve=True,
            system=_MIRROR,
            because="x = exp(u) carries gradient descent in u to mirror descent with the log "
            "barrier, from equal starts; their steps differ by half the square of the step",
        )
        for loss in LOSSES
    ),
    *(
        Named(
            f"omd/omd in log x {loss}",
            EQUIVALENT,
            core=True,
            same_curve=True,
            system=_MIRROR,
            because="the same mirror descent from equal starts, seen in u = log x: exact",
        )
        for loss in LOSSES
    ),
    *(
        Named(
            f"mirror/dual {name} {loss}",
            EQUIVALENT,
            core=True,
            same_curve=True,
            system=_MIRROR,
            because="y = ∇R(x) carries mirror descent to gradient steps on the dual variable, "
            "from equal starts: exact",
        )
        for name in MIRROR_MAPS
        for loss in BENT_LOSSES
    ),
    *(
        Named(
            f"omd/ogd other starts {loss}",
            EQUIVALENT,
            core=False,
            same_curve=False,
            system=_MIRROR,
            because="as omd/ogd, with starts uniform in x on one side and in log x on the other",
        )
        for loss in LOSSES
    ),
    *(
        Named(
            f"{method}/bisection {loss}",
            DIFFERENT,
            core=False,
            same_curve=False,
            system=_MIRROR,
            because="bisection halves its distance to a root at each step, descent comes down to "
            "an end of the box as 1 ÷ t, where there is no fixed point but 0",
        )
        for method in ("omd", "ogd")
        for loss in BENT_LOSSES
    ),
)

_LINEAR = "linear network"

LINEAR_NETWORKS = tuple(
    Named(
        f"linear network {what} {batches}",
        EQUIVALENT,
        core=False,
        same_curve=True,
        system=_LINEAR,
        because=because,
    )
    for what, because in (
        (
            "hidden basis",
            "W1 → R W1, W2 → W2 Rᵀ with R orthogonal keeps W2 W1 and commutes with SGD",
        ),
        ("input basis", "x → Q x, W1 → W1 Qᵀ with Q orthogonal keeps W1 x and commutes with SGD"),
    )
    for batches in ("full batch", "minibatches")
)

_QUADRATIC = "quadratic"


def _quadratic(name: str, answer: str, same_curve: bool, because: str) -> Named:
    return Named(name, answer, False, same_curve, _QUADRATIC, because)


QUADRATICS = (
    _quadratic(
        "gradient descent bases",
        EQUIVALENT,
        same_curve=True,
        because="equal Hessian spectra: a rotation carries one side to the other",
    ),
    _quadratic(
        "heavy ball bases",
        EQUIVALENT,
        same_curve=True,
        because="equal Hessian spectra and momentum: a rotation carries one side to the other",
    ),
    _quadratic(
        "penalty/decay",
        EQUIVALENT,
        same_curve=True,
        because="of SGD without momentum the L2 penalty and decoupled decay are the same step",
    ),
    _quadratic(
        "loss times 10, rate over 10",
        EQUIVALENT,
        same_curve=False,
        because="SGD's step is rate times gradient: the same runs, at ten times the loss",
    ),
    _quadratic(
        "Adam, loss times 10",
        EQUIVALENT,
        same_curve=False,
        because="Adam divides the gradient by its own size: the same runs up to its ε",
    ),
    _quadratic(
        "one curvature sharp",
        DIFFERENT,
        same_curve=False,
        because="one of ten directions oscillates with −0.8 instead of falling with 0.6 a step",
    ),
    _quadratic(
        "curvatures stretched",
        DIFFERENT,
        same_curve=False,
        because="the Hessian's eigenvalues lie from 0.05 to 4 on one side, from 0.005 to 4 on the "
        "other",
    ),
    _quadratic(
        "momentum 0.9/0.8",
        DIFFERENT,
        same_curve=False,
        because="the roots of z² − (1 + β − ηλ) z + β differ",
    ),
    _quadratic(
        "momentum 0.9/0",
        DIFFERENT,
        same_curve=False,
        because="complex roots of modulus √0.9 against real 1 − ηλ",
    ),
    _quadratic(
        "rate times 2",
        DIFFERENT,
        same_curve=False,
        because="1 − 2ηλ against 1 − ηλ: the verdict's unit of time is the step",
    ),
)

_PLATEAU = "tangent bifurcation"

PLATEAUS = (
    Named(
        "plateau in another variable",
        EQUIVALENT,
        core=False,
        same_curve=True,
        system=_PLATEAU,
        because="the same map, seen in exp(2x): exact",
    ),
    Named(
        "plateau caught/passed",
        DIFFERENT,
        core=False,
        same_curve=False,
        system=_PLATEAU,
        because="μ on either side of 0: runs end at a fixed point, or pass it by where there is "
        "none and go on to another",
    ),
    Named(
        "plateau caught/passing",
        DIFFERENT,
        core=False,
        same_curve=False,
        system=_PLATEAU,
        because="μ nearer to 0 on either side: runs end at a fixed point, or are still passing by "
        "when they are cut off",
    ),
)

_LEVEL_SETS = "level sets"


def _level_sets(name: str, because: str) -> Named:
    return Named(name, DIFFERENT, False, True, _LEVEL_SETS, because)


LEVEL_SETS = (
    _level_sets(
        "contraction/spiral",
        because="real eigenvalues against complex ones of the same modulus; ‖x‖ has one law",
    ),
    _level_sets(
        "flat drift/oscillation",
        because="along flat directions a constant speed against a rotation, of equal spread",
    ),
    _level_sets(
        "flat drift/slowing drift",
        because="the same straight way along flat directions, at a constant speed or one that "
        "falls exponentially",
    ),
    _level_sets(
        "flat white/correlated",
        because="along flat directions steps that are independent or remember the last one, of "
        "equal diffusion",
    ),
)

NETWORK = "network"


def _same(name: str, because: str, core: bool = False, same_curve: bool = True) -> Named:
    return Named(name, EQUIVALENT, core, same_curve, NETWORK, because)


def _other(name: str, because: str, same_curve: bool = False) -> Named:
    return Named(name, DIFFERENT, False, same_curve, NETWORK, because)


NETWORKS = (
    _same("fresh seeds", "the same setup", core=True),
    _same("permuted pixels", "the first layer does not see the order of its inputs", core=True),
    _same("renamed classes", "renaming classes renames outputs", core=True),
    _same("units permuted", "hidden units in another order are the same function", core=True),
    _same(
        "units rescaled", "ReLU: inputs times c, outputs over c are the same function", core=True
    ),
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

ANALYTIC = (*ONLINE, *LINEAR_NETWORKS, *QUADRATICS, *PLATEAUS, *LEVEL_SETS)
CASES = by_name((*NETWORKS, *ANALYTIC))
