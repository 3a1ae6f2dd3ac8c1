"""What jobs that several kinds of experiments share need: data, training, fits, comparisons.

Each kind's own ``sizes.py`` has a function ``needs`` (experiment, sections of the configuration by
name) beside its plan: a sum of the sizes of its largest arrays, with the keys that set them. No
module of a job imports these, so that a better estimate reruns nothing.
"""

import math
from collections.abc import Mapping
from math import comb
from typing import Any

from koopscope.compare.permutations import EXACT
from koopscope.config.data import DataSpec
from koopscope.config.fit import OBSERVABLES, FitSpec
from koopscope.config.models import ModelSetup
from koopscope.config.setup import NetworkSetup, OnlineSetup
from koopscope.config.setups import Trained
from koopscope.config.sizes import NUMERICAL, Need, Part
from koopscope.data.names import SIGNALS

SINGLE, DOUBLE = 4, 8
# As in koopscope.training, which stands above: bytes of weights that train side by side, of a
# chunk; samples of an evaluation; copies of weights and activations in a step.
CACHE, CHUNK, EVALUATED, COPIES = 4 * 2**20, 4 * 2**20, 1000, 4
# Of modules: bytes that train side by side, and how many numbers a layer makes of one.
MODULES, WIDENED = 16 * 2**20, 8
# What Adam keeps of each weight; the others keep as much or less.
STATES = 2
# Share of their size that snapshots take on disk: what compression leaves of random digits.
PACKED = 0.8
# Directions that a Krylov space has for each one kept (koopscope.koopman.costs).
SPACE = 7
# Bytes of a fit that is done, as an object.
FIT = 10_000

Sections = Mapping[str, Any]


def data_set(spec: DataSpec) -> Need:
    """Of preparing a data set: as it is read, and as it is written."""
    numbers = spec.pixels * (spec.train_samples + spec.test_samples)
    held = Part((3 if spec.like is None else 3 + 2 * DOUBLE) * numbers, {})
    path = f"results/data/{spec.id}.zarr"
    disk = (Part(numbers // 2, {}),)
    return Need(path, "data", f"data.{spec.name}", NUMERICAL, (held,), disk)


def images(spec: DataSpec) -> Part:
    """Of a data set as networks see it, and as it is stored."""
    return Part((SINGLE + 2) * spec.pixels * (spec.train_samples + spec.test_samples), {})


def trained(setup: Trained) -> tuple[Part, ...]:
    """Arrays of an ensemble's training."""
    if isinstance(setup, ModelSetup):
        return _trained_modules(setup)
    init, shapes = setup.initialisations, setup.shapes
    width = {"hidden_widths": max(setup.hidden_widths), "initialisations": init}
    weights = SINGLE * init * sum(map(math.prod, shapes.values()))
    together = max(1, min(len(setup.seeds), CACHE // weights))
    samples = max(setup.batch_size, EVALUATED, setup.probe)
    units = sum(outputs for _, outputs in shapes.values())
    chunk = steps_per_chunk(setup)
    drawn = 2 * DOUBLE * init * max(map(math.prod, shapes.values()))
    return (
        images(setup.data),
        Part((COPIES + STATES) * weights * together + drawn, width),
        Part(
            COPIES * SINGLE * init * samples * units * together,
            {"batch_size": setup.batch_size, "probe": setup.probe, **width},
        ),
        Part(2 * SINGLE * init * features(setup) * chunk * together, width),
        Part(
            2 * DOUBLE * setup.steps * setup.batch_size * together,
            {"steps": setup.steps, "batch_size": setup.batch_size},
        ),
        Part(3 * SINGLE * init * setup.steps, {"steps": setup.steps, "initialisations": init}),
    )


def _trained_modules(setup: ModelSetup) -> tuple[Part, ...]:
    """Of networks of any module: copies of all parameters, and a batch's numbers on their way."""
    init, batch = setup.initialisations, setup.batch
    weights = SINGLE * init * setup.parameters
    together = max(1, min(len(setup.seeds), MODULES // weights))
    samples = max(batch, EVALUATED, setup.probe)
    seen = WIDENED * (setup.data.pixels + setup.parameters // batch)
    keys = {"initialisations": init}
    return (
        images(setup.data),
        Part((COPIES + STATES) * weights * together, keys),
        Part(COPIES * SINGLE * init * samples * seen, {"batch_size": batch, **keys}),
        Part(2 * SINGLE * init * features(setup) * steps_per_chunk(setup) * together, keys),
        Part(2 * DOUBLE * setup.steps * batch * together, {"steps": setup.steps}),
    )


def features(setup: Trained) -> int:
    """Numbers that are recorded of a network after each step."""
    return sum(map(setup.features, OBSERVABLES))


def steps_per_chunk(setup: Trained) -> int:
    """Steps whose snapshots are held before they are written."""
    widest = max(map(setup.features, OBSERVABLES))
    return max(1, min(CHUNK // (SINGLE * setup.initialisations * widest), setup.states))


def snapshots(setup: Trained) -> Part:
    """Trajectories of an ensemble on disk."""
    runs = len(setup.seeds) * setup.initialisations * setup.states
    keys = {"steps": setup.steps, "initialisations": setup.initialisations, **_width(setup)}
    return Part(packed(SINGLE * runs * (features(setup) + 1)), keys)


def iterated(setup: OnlineSetup) -> tuple[tuple[Part, ...], Part]:
    """Arrays of an online method's runs in memory, and on disk, where half of it is left."""
    seeds, states = len(setup.seeds), setup.initialisations * setup.states
    keys = {
        "states": setup.states,
        "initialisations": setup.initialisations,
        "dimension": setup.dimension,
    }
    whole = DOUBLE * states * (setup.dimension + 1)
    return (Part((4 + 2 * seeds) * whole, keys),), Part(seeds * whole // 2, keys)


def packed(count: int) -> int:
    """Bytes on disk of so many bytes of single precision; by whole numbers, of any size."""
    return count * round(100 * PACKED) // 100


def _width(setup: Trained) -> dict[str, int]:
    """Key that sets how wide networks are, where there is one."""
    return {"hidden_widths": max(setup.hidden_widths)} if isinstance(setup, NetworkSetup) else {}


def fitted(fit: FitSpec, setup: Trained | OnlineSetup, threads: int) -> tuple[Part, ...]:
    """Arrays of the fits of an ensemble's seeds, so many at a time."""
    length = "states" if isinstance(setup, OnlineSetup) else "steps"
    init = fit.initialisations or setup.initialisations
    stop = setup.states if fit.stop is None else min(fit.stop, setup.states)
    states = -(-max(0, stop - fit.start) // fit.stride)
    width = setup.features(fit.observable)
    rows, columns = (fit.delays + 1) * width, max(1, states - fit.delays - 1) * init
    rank = fit.rank or min(rows, columns)
    space = min(SPACE * rank, rows, columns)
    by_solver = {
        "full": 3 * rows * columns,
        "gram": 3 * columns**2,
        "covariance": 3 * (rows + width) ** 2,
        "lanczos": 4 * space * (rows + columns),
    }
    # `auto` takes the quickest, which is the smallest where it matters.
    solved = by_solver.get(fit.solver, min(by_solver.values()))
    together = min(threads, fit.seeds or len(setup.seeds) + fit.resamples)
    keys = {length: states, "initialisations": init, "fit.delays": fit.delays}
    if isinstance(setup, Trained):
        keys |= _width(setup)
    return (
        Part(3 * DOUBLE * width * states * init * together, keys),
        Part(DOUBLE * solved * together, keys | {"fit.rank": rank}),
        Part(FIT * fit.resamples, {"fit.resamples": fit.resamples}),
    )


def modes(fit: FitSpec, setup: Trained | OnlineSetup) -> Part:
    """Spectra on disk."""
    width, init = setup.features(fit.observable), fit.initialisations or setup.initialisations
    rank = fit.rank or min((fit.delays + 1) * width, setup.states * init)
    count = (fit.seeds or len(setup.seeds)) + fit.resamples
    return Part(4 * DOUBLE * count * rank, {"fit.rank": rank, "fit.resamples": fit.resamples})


def grid(signal: str, points: int) -> tuple[int, int]:
    """Training points of a signal, of which every second one an axis trains, and all of them."""
    axes = len(SIGNALS[signal].extents)
    return (-(-points // 2)) ** axes, points**axes


def tested(sizes: set[tuple[int, int]], how: Any) -> tuple[Part, ...]:
    """Arrays of permutation tests and bootstraps of groups of so many seeds."""
    kept = drawn = peak = 0
    for first, second in sizes:
        seeds = first + second
        ways = comb(seeds, first)
        count = ways if ways <= EXACT else how.permutations
        # Weights of relabellings are kept; to make them takes two more arrays of numbers.
        kept += DOUBLE * seeds * count
        drawn += DOUBLE * seeds * how.bootstrap
        peak = max(peak, 2 * DOUBLE * seeds * count)
    most = max((sum(size) for size in sizes), default=0)
    again = 5 * DOUBLE * most * how.bootstrap
    return (
        Part(kept + peak, {"compare.permutations": how.permutations}),
        Part(drawn + again, {"compare.bootstrap": how.bootstrap}),
    )
