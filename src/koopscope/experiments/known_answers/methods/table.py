"""All methods by name, and methods of the user's own.

A family of methods is a module beside this one with a table of its own, ``METHODS``; it is
imported here, and not loaded by name, so that the digest of the code follows it. What only one
family needs (hmmlearn, dsa-metric) that family imports when it is used.
"""

import math
import warnings
from collections.abc import Mapping

import numpy as np
import xarray as xr

from koopscope.artefacts.names import named
from koopscope.errors import InputError, shown
from koopscope.experiments.known_answers.methods import curves, dsa, hidden_markov, outputs
from koopscope.experiments.known_answers.methods.answer import (
    NO_ANSWER,
    Answer,
    ByDistance,
    Method,
    joined,
)
from koopscope.experiments.known_answers.methods.spectral import Spectral

METHODS: Mapping[str, Method] = {
    **curves.METHODS,
    **outputs.METHODS,
    **hidden_markov.METHODS,
    **dsa.METHODS,
}


def method_of(name: str) -> Method:
    """Return the method of a name: one of ``METHODS``, or of the user's own.

    Parameters
    ----------
    name
        A key of ``METHODS``, or ``package.module:function``, which is imported: two groups of runs
        in, an :class:`~koopscope.experiments.known_answers.methods.answer.Answer` or a pair of
        p-value and effect out.

    Returns
    -------
    Method
        A callable of two groups.

    Raises
    ------
    InputError
        If there is no such method, or it cannot be imported or called.

    Examples
    --------
    >>> from koopscope.experiments.known_answers.methods.table import method_of
    >>> method_of("output_cka").most_runs is None
    True
    """
    if name in METHODS:
        return METHODS[name]
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        known = ", ".join(METHODS)
        raise InputError(
            f"methods: unknown {name!r}; give package.module:function, or one of {known}"
        )
    # Importing runs the user's code, which may raise anything.
    try:
        method = named(name)
    except Exception as error:
        raise InputError(
            f"methods: {name!r} cannot be imported ({_reason(error)}); give package.module:function"
        ) from error
    if not callable(method):
        raise InputError(f"methods: {name!r} is {shown(method)}; give a function of two groups")
    return method


def asked(method: Method, first: xr.Dataset, second: xr.Dataset) -> Answer:
    """Return the answer of a method; none where it fails.

    A method that raises, or returns something else than two numbers with a p-value from 0 to 1, has
    no answer, which is never one for equivalence. A warning says why, once for each reason.

    Parameters
    ----------
    method
        Of :func:`method_of`, or any callable of two groups.
    first, second
        The groups.

    Returns
    -------
    Answer
        NaN in both numbers where there is none.
    """
    try:
        p_value, effect = _numbers(method(first, second))
    except Exception as error:
        return _none(_reason(error))
    if math.isnan(p_value):
        return NO_ANSWER
    if not 0 <= p_value <= 1:
        return _none(f"its p-value is {p_value:g}, not from 0 to 1")
    return Answer(p_value, effect)


def distances(
    method: ByDistance | Spectral, first: xr.Dataset, second: xr.Dataset
) -> np.ndarray | None:
    """Distances between all runs of two pools, the first pool's first; None where it fails.

    As :func:`asked`: a method that raises has no answer, and a warning says why.
    """
    try:
        if isinstance(method, Spectral):
            return method.distances(first, second)
        return method.distances(joined(first, second))
    except Exception as error:
        _none(_reason(error))
        return None


def _numbers(found: object) -> tuple[float, float]:
    if isinstance(found, Answer):
        return float(found.p_value), float(found.effect)
    try:
        p_value, effect = map(float, found)  # type: ignore[call-overload]
        return p_value, effect
    except (TypeError, ValueError):
        raise InputError(f"it returned {shown(found)}, not a p-value and an effect") from None


def _none(reason: str) -> Answer:
    warnings.warn(f"a method has no answer: {reason}", stacklevel=3)
    return NO_ANSWER


def _reason(error: Exception) -> str:
    """What went wrong, in one line."""
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
