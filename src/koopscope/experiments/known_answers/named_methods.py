"""What the names of methods say; nothing numerical, since planning asks."""

from typing import NamedTuple

from koopscope.config.checks import one_of, within
from koopscope.config.coordinates import steps_of
from koopscope.config.settings import DISTANCES
from koopscope.errors import InputError
from koopscope.experiments.known_answers.names import OBSERVABLES, PLAIN, SPECTRUM


class SpectrumNamed(NamedTuple):
    """Method of spectra as its name says it."""

    coordinates: str
    distance: str
    observable: str


def spectrum_named(name: str) -> SpectrumNamed | None:
    """What a method's name says, ``spectrum COORDINATES [DISTANCE] [of OBSERVABLE]``.

    None for the names of other methods.

    Raises
    ------
    InputError
        If coordinates, distance or observable are unknown.
    """
    first, *words = name.split()
    if first != SPECTRUM:
        return None
    observable = "weights"
    if len(words) > 2 and words[-2] == "of":
        observable = words[-1]
        words = words[:-2]
    coordinates, *others = words or [""]
    distance, *more = others or ["wasserstein"]
    with within(f"methods: {name}"):
        if more:
            raise InputError(f"{more[0]!r}: stands after the distance; leave it out")
        steps_of(coordinates)
        one_of("distance", distance, tuple(DISTANCES))
        one_of("observable", observable, OBSERVABLES)
    return SpectrumNamed(coordinates, distance, observable)


def check_method(name: str) -> None:
    """Refuse the name of a method that there is not.

    Raises
    ------
    InputError
        With the name and what may be given.
    """
    if not name.split() or (spectrum_named(name) is None and ":" not in name):
        one_of("methods", name, (SPECTRUM + " COORDINATES", *PLAIN, "package.module:function"))
