"""Names of the coordinates that a spectrum may be estimated in.

Plain text, so that a configuration can be read without numerical libraries; what they do is in
:mod:`koopscope.koopman.coordinates`.
"""

from koopscope.errors import InputError

RAW = "raw"
ELEMENTWISE = ("standardised", "per_step", "normal_scores")
WHITENED = "whitened"
KNOWN = f"{RAW}, {', '.join(ELEMENTWISE)}, {WHITENED}:k with k of 1 or more, or some joined by +"


def steps_of(coordinates: str) -> list[tuple[str, int]]:
    """Changes of coordinates one after the other, each with its number of components or 0.

    Parameters
    ----------
    coordinates
        ``"raw"``, ``"standardised"``, ``"per_step"``, ``"normal_scores"``, ``"whitened:k"``, or
        some of them joined by ``+``, as ``"normal_scores+whitened:10"``: the first is taken first.

    Raises
    ------
    InputError
        If one is not known.

    Examples
    --------
    >>> from koopscope.config.coordinates import steps_of
    >>> steps_of("normal_scores+whitened:10")
    [('normal_scores', 0), ('whitened', 10)]
    >>> steps_of("raw")
    []
    """
    if coordinates == RAW:
        return []
    found = []
    for part in coordinates.split("+") if isinstance(coordinates, str) else [""]:
        name, _, number = part.partition(":")
        if part in ELEMENTWISE:
            found.append((part, 0))
        elif name == WHITENED and number.isascii() and number.isdigit() and int(number):
            found.append((name, int(number)))
        else:
            raise InputError(f"coordinates: unknown {coordinates!r}; give {KNOWN}")
    return found
