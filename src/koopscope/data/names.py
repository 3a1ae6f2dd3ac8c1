"""Which signals there are: plain values, to plan with."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi

TURN = 2 * pi


@dataclass(frozen=True)
class Signal:
    """What a signal is; :mod:`koopscope.data.signals` has a function of its name.

    Attributes
    ----------
    extents
        Length of the domain in each dimension, which starts at 0, by the dimension's name.
    meaning
        What it is, in words.
    """

    extents: Mapping[str, float]
    meaning: str


SIGNALS = {
    "tone": Signal({"x": TURN}, "sin 40x"),
    "tones": Signal({"x": TURN}, "sin x + sin 5x + sin 20x"),
    "weak-tone": Signal({"x": TURN}, "sin x + 0.1 sin 60x"),
    "broken-tone": Signal({"x": TURN}, "sin 12.37x: no whole number of periods"),
    "chirp": Signal({"x": TURN}, "sin 3x²"),
    "modulated": Signal({"x": TURN}, "(1 + 0.8 sin 2x) sin 30x"),
    "weierstrass": Signal({"x": TURN}, "Weierstrass: Σ 2⁻ᵏ cos 3ᵏx, k = 0 to 4"),
    "steps": Signal({"x": TURN}, "sin x + ½ sign sin(3x + 1): jumps"),
    "random-tones": Signal({"x": TURN}, "up to five tones: 1 to 40 periods, sizes 0.05 to 1"),
    "tones-2d": Signal({"x": TURN, "y": TURN}, "sin x cos y + ½ sin(4x + 3y)"),
    "rings": Signal({"x": TURN, "y": TURN}, "cos ¾r²: a chirp in all directions"),
    "lorenz": Signal({"time": 20.0}, "Lorenz-63 (10, 28, 8/3), first coordinate"),
    "van-der-pol": Signal({"time": 30.0}, "Van der Pol (μ = 2): a limit cycle"),
    "quasi-periodic": Signal({"time": 20.0}, "flow on a torus: frequencies 2 and 1 + √5"),
    "travelling-waves": Signal({"time": TURN, "x": TURN}, "two waves, one against the other"),
}
