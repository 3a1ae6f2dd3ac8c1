"""What a recording is of: its name, seed and settings, as attributes of a store."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from koopscope.artefacts.provenance import canonical
from koopscope.errors import InputError

# Names in a store that nothing else may have.
OWN = ("weights", "sketch", "step", "seed", "layer", "index", "initial")


def described(name: str, seed: int | None, settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is known of a run, without what is not.

    Raises
    ------
    InputError
        If a setting is no JSON value.
    """
    known = _plain({"name": name, "seed": seed, "settings": dict(settings or {})})
    # None of these may be lost in silence: JSON refuses what it cannot say.
    try:
        kept = {key: value for key, value in known.items() if value not in ("", None, {})}
        canonical(kept)
    except (TypeError, ValueError) as error:
        raise InputError(f"settings: {error}; give numbers, texts, lists of them") from None
    return kept


def _plain(value: Any) -> Any:
    """The same, with numbers and lists of Python in place of NumPy's, which JSON does not know."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def attributes(known: Mapping[str, Any]) -> dict[str, Any]:
    """The same as attributes of a store: settings as JSON text."""
    return {key: v if key != "settings" else canonical(v) for key, v in known.items()}
