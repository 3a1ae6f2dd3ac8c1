"""What is refused of the values of a configuration, before any work starts.

Bounds of single values stand with their keys; here is what several of them say together.
"""

import re
from dataclasses import fields
from functools import singledispatch
from typing import Any

from koopscope.config.checks import each_once, near, no_tokens, one_of, within
from koopscope.config.coordinates import steps_of
from koopscope.config.data import DERIVED, FROM_FILES, MODULAR, RENAMED, SYNTHETIC, DataSpec
from koopscope.config.entries import conform
from koopscope.config.fit import OBSERVABLES, FitSpec
from koopscope.config.models import ARCHITECTURES, ModelSetup
from koopscope.config.runs import RecordedRuns
from koopscope.config.settings import Training
from koopscope.config.setup import ACTIVATIONS, METHODS, OPTIMIZERS, NetworkSetup, OnlineSetup
from koopscope.config.shown import listed, quoted, shown
from koopscope.errors import InputError

# A dotted name and a function of it.
FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
DEVICE = re.compile("auto|cpu|mps|cuda(:[0-9]{1,3})?")
# Keys of a data set that only some kinds have, and these.
USED = {
    "difficulty": (SYNTHETIC,),
    "modulus": (MODULAR,),
    "operation": (MODULAR,),
    "train_share": (MODULAR,),
    "encoding": (MODULAR,),
    "seed": (*DERIVED, MODULAR),
    "path": FROM_FILES,
}


def refuse(value: Any) -> None:
    """Refuse a value that no work can be done with.

    Raises
    ------
    InputError
        With the key, the value and the remedy.
    """
    conform(value)
    _together(value)


@singledispatch
def _together(value: Any) -> None:
    raise TypeError(f"no refusals for a {type(value).__name__}")


@_together.register
def _training(settings: Training) -> None:
    if not DEVICE.fullmatch(settings.device):
        raise InputError(
            f"device: unknown {quoted(settings.device)}; give auto, cpu, mps, cuda, or cuda: and a "
            "number, as cuda:1"
        )


@_together.register
def _data(spec: DataSpec) -> None:
    for name, kinds in USED.items():
        default = next(f.default for f in fields(DataSpec) if f.name == name)
        if spec.kind not in kinds and getattr(spec, name) != default:
            raise InputError(
                f"{name}: {shown(getattr(spec, name))} says nothing of {spec.kind}; remove it"
            )
    if (spec.kind in DERIVED) != (spec.like is not None):
        raise InputError(
            f"like: {spec.like and spec.like.name!r}; a {', '.join(DERIVED)} data set, and only "
            "such a one, names the data set that it is made from"
        )
    if spec.kind == MODULAR:
        _split(spec)
    if spec.like is not None:
        _derived(spec, spec.like)


def _split(spec: DataSpec) -> None:
    pairs = spec.modulus**2
    for split, samples in (("train", spec.train_samples), ("test", spec.test_samples)):
        if not samples:
            raise InputError(
                f"train_share: {shown(spec.train_share)} of {pairs} pairs leaves none to {split}; "
                f"give {1 / pairs:g} to {1 - 1 / pairs:g}"
            )


def _derived(spec: DataSpec, like: DataSpec) -> None:
    modular = like.origin.kind == MODULAR
    if spec.kind == RENAMED and like.kind not in (MODULAR, RENAMED):
        raise InputError(
            f"like: {like.name!r} is {like.kind}, but only elements of modular arithmetic can be "
            "renamed; give a modular data set, or kind: permuted or relabelled"
        )
    if spec.kind == SYNTHETIC and modular:
        raise InputError(
            f"like: {like.name!r} is modular arithmetic, whose pixels have no mean and variance to "
            "imitate; give another data set, or kind: renamed"
        )
    if spec.kind != RENAMED and like.tokens:
        raise InputError(
            f"like: {like.name!r} has tokens, whose places and numbers say what they are; give it "
            "encoding: onehot, or kind: renamed"
        )


@_together.register
def _fit(spec: FitSpec) -> None:
    one_of("observable", spec.observable.partition(":")[0], tuple(OBSERVABLES))
    steps_of(spec.coordinates)
    if spec.stop is not None and spec.stop <= spec.start:
        raise InputError(f"start, stop: {spec.start}, {spec.stop} is no window of a run")


@_together.register
def _runs(setup: RecordedRuns) -> None:
    if setup.begin is not None and setup.end is not None and setup.end <= setup.begin:
        raise InputError(f"begin, end: {setup.begin}, {setup.end} is no stretch of a run")
    if setup.layers is not None and setup.columns is not None:
        raise InputError("layers, columns: logged numbers have no layers; give one of the two")
    for name in ("layers", "columns"):
        if getattr(setup, name) == ():
            raise InputError(f"{name}: none; give one or more, or null for all")


@_together.register
def _network(setup: NetworkSetup) -> None:
    no_tokens(setup.data)
    has = OPTIMIZERS[setup.optimizer]
    if setup.momentum is not None and "momentum" not in has:
        raise InputError(f"momentum: {setup.momentum}, but {setup.optimizer} has none; remove it")
    if "decoupled" in has and setup.weight_decay == 0:
        raise InputError(
            f"weight_decay: 0 leaves {setup.optimizer} nothing to decouple; give one, as 0.01"
        )
    if not setup.hidden_widths:
        raise InputError("hidden_widths: no layer; give at least one width, such as [40]")
    each_once("seeds", setup.seeds)
    if setup.data.origin.kind == MODULAR:
        _enough(setup)
    every = setup.observable == ("all",)
    each_once("observable", setup.observable, None if every else (*setup.layers, "all"))


def _enough(setup: NetworkSetup) -> None:
    """Refuse more than there are samples, of which a small modulus has few."""
    for name, split, there in (
        ("batch_size", "training", setup.data.train_samples),
        ("probe", "test", setup.data.test_samples),
    ):
        if getattr(setup, name) > there:
            raise InputError(
                f"{name}: {getattr(setup, name)}, but {setup.data.name} has {there} {split} "
                "samples; give at most that"
            )


@_together.register
def _model(setup: ModelSetup) -> None:
    if (setup.architecture is None) == (setup.module is None):
        raise InputError(
            f"architecture, module: {shown(setup.architecture)}, {shown(setup.module)}; give one "
            "of the two"
        )
    if setup.module is not None and not FUNCTION.fullmatch(setup.module):
        raise InputError(
            f"module: {quoted(setup.module)} is no function; give package.module:function"
        )
    if setup.architecture is not None:
        with within("options"):
            _architecture(setup)
    if "decoupled" in OPTIMIZERS.get(setup.optimizer, ()) and setup.weight_decay == 0:
        raise InputError(
            f"weight_decay: 0 leaves {setup.optimizer} nothing to decouple; give one, as 0.01"
        )
    if setup.steps % setup.record_every:
        raise InputError(
            f"record_every: {setup.record_every} does not divide {setup.steps} steps; give a "
            "number that does"
        )
    each_once("seeds", setup.seeds)
    each_once("observable", setup.observable)
    if setup.architecture is not None and not setup.recorded:
        raise InputError(
            f"observable: {listed(setup.observable)} is no parameter; give some of "
            f"{', '.join(setup.shapes)}, or patterns"
        )


def _architecture(setup: ModelSetup) -> None:
    """Refuse options that an architecture has not, or not with such values."""
    known = ARCHITECTURES[setup.architecture or ""]
    for name, value in setup.options.items():
        if name not in known:
            raise InputError(f"{name}: unknown option of {setup.architecture}{near(name, known)}")
        if name == "activation":
            one_of(name, value, ACTIVATIONS)
        elif isinstance(known[name], bool):
            if not isinstance(value, bool):
                raise InputError(f"{name}: {shown(value)} is not true or false")
        else:
            for number in value if isinstance(value, tuple) else (value,):
                if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                    raise InputError(f"{name}: {shown(value)}; give whole numbers of at least 1")
            if isinstance(known[name], tuple) != isinstance(value, tuple) or value == ():
                what = "a list of whole numbers" if isinstance(known[name], tuple) else "one number"
                raise InputError(f"{name}: {shown(value)}; give {what}")
    told = setup.told
    if setup.architecture == "transformer" and told["width"] % told["heads"]:
        raise InputError(f"heads: {told['heads']} do not divide the width {told['width']}")


@_together.register
def _online(setup: OnlineSetup) -> None:
    one_of("observable", setup.observable, METHODS[setup.method])
    each_once("seeds", setup.seeds)
    if setup.initial_points == "grid":
        side = round(setup.initialisations ** (1 / setup.dimension))
        if side**setup.dimension != setup.initialisations:
            raise InputError(
                f"initialisations: {setup.initialisations} points make no grid in "
                f"{setup.dimension} dimensions; give a power such as 5^{setup.dimension}"
            )
        if len(setup.seeds) > 1:
            raise InputError(
                f"seeds: {list(setup.seeds)} would all give the same grid; "
                "give one seed, or starts: random"
            )
