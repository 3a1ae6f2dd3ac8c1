"""Controls of a study, planned: variants and lines whose answer is known beforehand."""

from collections.abc import Container, Iterable
from dataclasses import replace

from koopscope.config.controls import MADE, RECODED, SURROGATE, kind_of
from koopscope.config.data import MODULAR, RENAMED, DataSpec
from koopscope.config.runs import RecordedRuns
from koopscope.config.setup import OnlineSetup, Setup
from koopscope.errors import InputError
from koopscope.experiments.equivalence.study import Variant, control_line

# Controls take seeds that no variant has, so that they are new draws and not the same ones again.
FRESH = 1000
# Lines that a tested study gets by itself. Mirror and gradient descent differ by a monotone map of
# each coordinate; weights of networks by a scale.
RESCALED, BENT = f"{RECODED}:rescaled", f"{RECODED}:bent"
SHUFFLED = f"{SURROGATE}:increments_shuffled"


def new_draws(
    names: Iterable[str], reference: Variant, taken: Container[str], where: str = "controls"
) -> list[Variant]:
    """Variants of the reference from fresh seeds, of the same or equivalent data.

    Parameters
    ----------
    names
        Of :data:`koopscope.experiments.equivalence.entry.CONTROLS`.
    reference
        What they are made of.
    taken
        Names that other variants have.
    where
        Key that a refusal names.

    Raises
    ------
    InputError
        If the reference is recorded, has no data for them, or a name is taken.
    """
    made = []
    for name in names:
        if isinstance(reference.setup, RecordedRuns):
            raise InputError(
                f"{where}: {name}, but the reference {reference.name} is recorded; give runs "
                "of fresh seeds as a variant, with a pair that is expected equivalent"
            )
        if isinstance(reference.setup, OnlineSetup) and name != "fresh":
            raise InputError(f"{where}: {name} needs a network with data; give fresh")
        _free(name, taken, where)
        setup = _fresh(reference.setup)
        if name != "fresh":
            data = setup.data
            if name == RENAMED and data.kind not in (MODULAR, RENAMED):
                raise InputError(
                    f"{where}: {name}, but {data.name} is no modular arithmetic; give permuted or "
                    "relabelled"
                )
            changed = DataSpec(f"{data.name}_{name}", name, like=data, seed=1)
            setup = replace(setup, data=changed)
        made.append(Variant(name, setup, reference.fit))
    return made


def lines(
    names: Iterable[str],
    reference: Variant,
    taken: Container[str],
    automatic: bool,
    where: str = "controls",
) -> tuple[Variant, ...]:
    """Control lines: recodings and surrogates of fresh seeds of the reference.

    Of a reference that is recorded they are made of its own runs, since there are no others.

    Parameters
    ----------
    names
        Of :data:`koopscope.config.controls.NAMES`.
    reference, taken, where
        As for :func:`new_draws`.
    automatic
        Whether to add one of each kind that the names lack.

    Raises
    ------
    InputError
        If a name is taken.
    """
    setup = reference.setup
    own = {
        RECODED: BENT if isinstance(setup, OnlineSetup) else RESCALED,
        SURROGATE: SHUFFLED,
    }
    found = list(names)
    there = set(map(kind_of, found))
    found += [own[kind] for kind in MADE if automatic and kind not in there]
    for name in found:
        _free(name, taken, where)
    of = setup if isinstance(setup, RecordedRuns) else _fresh(setup)
    return tuple(control_line(name, of, reference.fit) for name in found)


def _fresh(setup: Setup) -> Setup:
    seeds = tuple(FRESH * (1 + max(setup.seeds) // FRESH) + s for s in setup.seeds)
    return replace(setup, seeds=seeds)


def _free(name: str, taken: Container[str], where: str) -> None:
    if name in taken:
        raise InputError(f"{where}: {name} is the name of a variant; rename that one")
