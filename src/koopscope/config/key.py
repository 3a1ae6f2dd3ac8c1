"""What makes a field of a dataclass a key of the configuration, said once, where it lives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Bounds of a seed: what NumPy, PyTorch and scikit-learn all take.
SEED = {"ge": 0, "lt": 2**32}


@dataclass(frozen=True)
class Key:
    """Annotation of a field that is a key (:func:`key`)."""

    gives: str
    unit: str = ""
    one_of: tuple[str, ...] = ()
    written: Any = None
    default: str = ""
    bounds: Mapping[str, float] = field(default_factory=dict)


def key(
    gives: str,
    unit: str = "",
    *,
    one_of: Iterable[str] = (),
    written: Any = None,
    default: str = "",
    **bounds: float,
) -> Key:
    """Annotation that makes a field of a dataclass a key of the configuration.

    Such as ``steps: Annotated[int, key("number of batches", "batches", ge=1)] = 1000``. From it
    come the refusals (:mod:`koopscope.config.entries`), the JSON schema and the tables of
    ``config/README.md`` (:mod:`koopscope.experiments.keys`).

    Parameters
    ----------
    gives
        What the key gives, in Markdown; completes the sentence "it gives …".
    unit
        Of a number.
    one_of
        The only values, if there are such; of a list, those of its items.
    written
        Type of the value in a file, if it is another than that of the field, such as the name of a
        data set.
    default
        What is said of the default, if it is not the field's own or reads better in words.
    **bounds
        ``ge``, ``gt``, ``le``, ``lt`` of a number, or of each in a list.
    """
    return Key(gives, unit, tuple(one_of), written, default, bounds)
