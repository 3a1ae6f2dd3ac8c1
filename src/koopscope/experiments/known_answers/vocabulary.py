"""The answers, and what names of methods say; nothing numerical, since planning asks."""

from typing import NamedTuple

EQUIVALENT, DIFFERENT = "equivalent", "different"
# Methods: the first word of those of spectra, what these may observe, and the plain ones.
SPECTRUM = "spectrum"
OBSERVABLES = ("weights", "probe", "loss")
PLAIN = (
    "loss_curve",
    "weight_norm",
    "logged_scalars",
    "output_cka",
    "hidden_markov",
    "dsa",
    "dsa_eigenvalues",
)


class SpectrumNamed(NamedTuple):
    """Method of spectra as its name says it."""

    coordinates: str
    distance: str
    observable: str


def spectrum_named(name: str) -> SpectrumNamed | None:
    """What a method's name says, ``spectrum COORDINATES [DISTANCE] [of OBSERVABLE]``.

    None for the names of other methods, and for more words than these.

    Examples
    --------
    >>> from koopscope.experiments.known_answers.vocabulary import spectrum_named
    >>> spectrum_named("spectrum raw of probe")
    SpectrumNamed(coordinates='raw', distance='wasserstein', observable='probe')
    """
    words = name.split()
    observable = "weights"
    if len(words) > 3 and words[-2] == "of":
        *words, _, observable = words
    if not 2 <= len(words) <= 3 or words[0] != SPECTRUM:
        return None
    distance = words[2] if len(words) == 3 else "wasserstein"
    return SpectrumNamed(words[1], distance, observable)
