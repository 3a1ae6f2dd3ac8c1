"""What of a fit can be refused before anything is trained."""

from koopscope.config.coordinates import steps_of
from koopscope.config.fit import FitSpec
from koopscope.config.runs import RecordedRuns
from koopscope.config.setups import Setup
from koopscope.errors import InputError


def refuse_fit(fit: FitSpec, setup: Setup) -> None:
    """Refuse a fit that the trajectories of a setup cannot give.

    Raises
    ------
    InputError
        If the observable is not recorded, the window leaves the run, or there are not enough
        states for the delays, or not enough data for the rank or the principal components.
    """
    if isinstance(setup, RecordedRuns):
        # How long they are and of how many numbers is known when they are read.
        if fit.observable != "weights":
            raise InputError(f"observable: {fit.observable!r}; of recorded runs it is weights")
        if (fit.seeds or 0) > len(setup.seeds):
            raise InputError(f"seeds: the fit asks for {fit.seeds}, there are {len(setup.seeds)}")
        return
    features = setup.features(fit.observable)
    if not features:
        raise InputError(
            f"observable: {fit.observable!r} is not recorded; "
            + ("give the setup a sketch or a probe" if hasattr(setup, "probe") else "give weights")
        )
    if fit.stop is not None and fit.stop > setup.states:
        raise InputError(f"stop: {fit.stop} is beyond the {setup.states} states of a run")
    for name, there in (
        ("initialisations", setup.initialisations),
        ("seeds", len(setup.seeds)),
    ):
        if (getattr(fit, name) or 0) > there:
            raise InputError(
                f"{name}: the fit asks for {getattr(fit, name)}, the setup has {there}"
            )
    # Not by a range, whose length has to be a small number.
    end = setup.states if fit.stop is None else fit.stop
    states = -(-max(0, end - fit.start) // fit.stride)
    runs = fit.initialisations or setup.initialisations
    for name, components in steps_of(fit.coordinates):
        # Directions of states about their mean, one fewer than states.
        most = min(features, states * runs - 1)
        if components > most:
            raise InputError(
                f"coordinates: {name}:{components}, but there are {features} numbers a snapshot "
                f"and {states * runs} snapshots; give at most {name}:{most}"
            )
        features = components or features
    pairs = states - fit.delays - 1
    if pairs < 1:
        raise InputError(
            f"delays: {fit.delays} delays need at least {fit.delays + 2} states, "
            f"but a run has {states}; give at most {max(states - 2, 0)}"
        )
    largest = min((fit.delays + 1) * features, pairs * runs)
    if fit.rank is not None and fit.rank > largest:
        raise InputError(f"rank: {fit.rank} is more than the data can give; give at most {largest}")
