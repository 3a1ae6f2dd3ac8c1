"""What is refused of the values of a configuration, before any work starts."""

from functools import singledispatch
from typing import Any

from koopscope.config.checks import (
    above_zero,
    at_least_zero,
    below_one,
    each_once,
    one_of,
    positive,
)
from koopscope.config.data import DERIVED, PIXELS, DataSpec
from koopscope.config.fit import OBSERVABLES, SOLVERS, FitSpec
from koopscope.config.setup import (
    ACTIVATIONS,
    LOSSES,
    METHODS,
    OPTIMIZERS,
    NetworkSetup,
    OnlineSetup,
)
from koopscope.errors import InputError


@singledispatch
def refuse(value: Any) -> None:
    """Refuse a value that no work can be done with, by its type.

    Raises
    ------
    InputError
        With the key, the value and the remedy.
    """
    raise TypeError(f"no refusals for a {type(value).__name__}")


@refuse.register
def _data(spec: DataSpec) -> None:
    one_of(f"data.{spec.name}.kind", spec.kind, (*PIXELS, *DERIVED))
    if (spec.kind in DERIVED) != (spec.like is not None):
        raise InputError(
            f"data.{spec.name}.like: {spec.like and spec.like.name!r}; a {', '.join(DERIVED)} "
            "data set, and only such a one, names the data set that it is made from"
        )
    below_one(f"data.{spec.name}.difficulty", spec.difficulty)


@refuse.register
def _fit(spec: FitSpec) -> None:
    one_of("solver", spec.solver, SOLVERS)
    if spec.delays < 0:
        raise InputError(f"delays: {spec.delays} is negative; give 0 or more")
    for name in ("rank", "initialisations", "seeds"):
        if getattr(spec, name) is not None:
            positive(name, getattr(spec, name))
    positive("every", spec.every)
    if spec.resamples < 0:
        raise InputError(f"resamples: {spec.resamples} is negative; give 0 or more")
    one_of("observable", spec.observable.partition(":")[0], tuple(OBSERVABLES))
    if spec.start < 0 or (spec.stop is not None and spec.stop <= spec.start):
        raise InputError(f"start, stop: {spec.start}, {spec.stop} is no window of a run")


@refuse.register
def _network(setup: NetworkSetup) -> None:
    one_of("activation", setup.activation, ACTIVATIONS)
    _refuse_optimizer(setup)
    if isinstance(setup.observable, str):
        raise InputError(f"observable: {setup.observable!r} is no list; give [{setup.observable}]")
    if not setup.hidden:
        raise InputError("hidden: no layer; give at least one width, such as [40]")
    for name in ("batch_size", "steps", "initialisations", "evaluate_every"):
        positive(name, getattr(setup, name))
    for width in setup.hidden:
        positive("hidden", width)
    above_zero("learning_rate", setup.learning_rate)
    each_once("seeds", setup.seeds)
    below_one("spread", setup.spread)
    every = setup.observable == ("all",)
    each_once("observable", setup.observable, None if every else (*setup.layers, "all"))
    for name in tuple(OBSERVABLES)[1:]:
        if getattr(setup, name) != 0:
            positive(name, getattr(setup, name))


def _refuse_optimizer(setup: NetworkSetup) -> None:
    one_of("optimizer", setup.optimizer, tuple(OPTIMIZERS))
    has = OPTIMIZERS[setup.optimizer]
    if "momentum" in has:
        if not 0 < setup.momentum < 1:
            raise InputError(f"momentum: {setup.momentum} is not in (0, 1)")
    elif setup.momentum is not None:
        raise InputError(f"momentum: {setup.momentum}, but {setup.optimizer} has none; remove it")
    at_least_zero("weight_decay", setup.weight_decay)
    if "decoupled" in has and setup.weight_decay == 0:
        raise InputError(
            f"weight_decay: 0 leaves {setup.optimizer} nothing to decouple; give one, as 0.01"
        )


@refuse.register
def _online(setup: OnlineSetup) -> None:
    one_of("method", setup.method, tuple(METHODS))
    one_of("observable", setup.observable, METHODS[setup.method])
    one_of("loss", setup.loss, LOSSES)
    one_of("starts", setup.starts, ("grid", "random"))
    for name in ("dimension", "states", "initialisations"):
        positive(name, getattr(setup, name))
    above_zero("step_size", setup.step_size)
    each_once("seeds", setup.seeds)
    if setup.starts == "grid":
        side = round(setup.initialisations ** (1 / setup.dimension))
        if side**setup.dimension != setup.initialisations:
            raise InputError(
                f"initialisations: {setup.initialisations} points make no grid in "
                f"{setup.dimension} dimensions; give a power such as {5**setup.dimension}"
            )
        if len(setup.seeds) > 1:
            raise InputError(
                f"seeds: {list(setup.seeds)} would all give the same grid; "
                "give one seed, or starts: random"
            )
