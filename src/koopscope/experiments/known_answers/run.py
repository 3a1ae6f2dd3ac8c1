"""Ask methods of which the answers are known: two pools of runs a case, groups drawn from them.

[ours] Conjugate dynamics must not be told apart, and different ones should be. Each case has two
pools of runs; of each pair of groups drawn from them a method says how likely it is by chance and
how large. The groups are the same for all methods.
"""

from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from koopscope.artefacts.texts import texts
from koopscope.experiments.known_answers.draws import (
    Answers,
    answers_of_function,
    answers_of_matrix,
    groups,
)
from koopscope.experiments.known_answers.methods.answer import ByDistance, Method
from koopscope.experiments.known_answers.methods.spectral import Spectra, Spectral
from koopscope.experiments.known_answers.methods.table import asked, distances, method_of
from koopscope.experiments.known_answers.names import CASES, NETWORK
from koopscope.experiments.known_answers.networks import Networks
from koopscope.experiments.known_answers.systems.table import SYSTEMS
from koopscope.experiments.known_answers.vocabulary import SPECTRUM, spectrum_named
from koopscope.experiments.means import Means
from koopscope.training.devices import one_blas_thread

if TYPE_CHECKING:
    from koopscope.experiments.known_answers.plan import KnownAnswers

# How a seed of several runs is fitted, as the online optimisers' are in the studies.
SEVERAL = {"delays": 4, "rank": 6}
NUMBERS = ("runs", "core_times", "first_seed", "maps", "permutations", "delays", "rank")
Pools = tuple[xr.Dataset, xr.Dataset]


def run(plan: "KnownAnswers", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Ask every method about every case.

    Parameters
    ----------
    plan
        Cases, methods, sizes of groups.
    data
        The networks' data set, if a case has networks.
    means
        Device, threads.

    Returns
    -------
    xarray.Dataset
        Dims ``approach`` (the methods; ``method`` is a word of xarray's), ``case``, ``size`` (seeds
        a group), ``draw``: ``p_value`` and ``effect``, NaN for no answer and beyond a case's
        ``draws``; ``seconds`` (approach, case), of all answers; ``pool`` (approach, case), runs of
        a pool that the method was asked about. Coordinates of cases: ``answer``, ``core``,
        ``same_curve``, ``system``, ``because``, ``draws``; of methods: ``spectral``.
    """
    networks = (
        Networks(plan.network, data[0], plan.seeds, plan.maps, means.device) if data else None
    )
    spectra = Spectra(means.threads)
    methods = {name: _method(name, spectra) for name in plan.methods}
    draws = [plan.draws * plan.times(case) for case in plan.cases]
    shape = len(methods), len(plan.cases), len(plan.sizes), max(draws)
    p, effect = np.full(shape, np.nan), np.full(shape, np.nan)
    seconds, pool = np.full(shape[:2], np.nan), np.zeros(shape[:2], int)
    # On one, so that the last bits are the same for any number of threads.
    with one_blas_thread(1):
        for c, case in enumerate(plan.cases):
            pools = _pools(plan, case, networks)
            for m, method in enumerate(methods.values()):
                start = perf_counter()
                p[m, c, :, : draws[c]], effect[m, c, :, : draws[c]], pool[m, c] = _asked(
                    plan, (c, draws[c]), method, pools
                )
                seconds[m, c] = perf_counter() - start
                means.progress(1)
            spectra.forget()
    return xr.Dataset(
        {
            "p_value": (("approach", "case", "size", "draw"), p),
            "effect": (("approach", "case", "size", "draw"), effect),
            "seconds": (("approach", "case"), seconds),
            "pool": (("approach", "case"), pool),
        },
        coords={
            "approach": texts(methods),
            "case": texts(plan.cases),
            "size": list(plan.sizes),
            "draws": ("case", draws),
            "spectral": ("approach", [name.split()[0] == SPECTRUM for name in methods]),
            **{
                name: ("case", _column([getattr(CASES[case], name) for case in plan.cases]))
                for name in ("answer", "core", "same_curve", "system", "because")
            },
        },
        attrs={
            "network": plan.network.id,
            "core_cases": sum(case.core for case in CASES.values()),
            **{name: getattr(plan, name) for name in NUMBERS},
        },
    )


def _pools(plan: "KnownAnswers", case: str, networks: Networks | None) -> Pools:
    """Both pools of a case, each with how its spectra are fitted."""
    runs = plan.runs * plan.times(case)
    if networks is not None and CASES[case].system == NETWORK:
        pools = networks.pools(case, runs)
    else:
        pools = SYSTEMS[case](*(seeds[:runs] for seeds in plan.seeds))
    for pool in pools:
        fit = SEVERAL if pool.sizes["init"] > 1 else {"delays": plan.delays, "rank": plan.rank}
        pool.attrs.update(fit)
    return pools


def _method(name: str, spectra: Spectra) -> Method | Spectral:
    """Method of a name."""
    found = spectrum_named(name)
    return Spectral(*found, spectra) if found else method_of(name)


def _asked(
    plan: "KnownAnswers", case: tuple[int, int], method: Method | Spectral, pools: Pools
) -> tuple[np.ndarray, np.ndarray, int]:
    """Answers of a method to a case of a number with so many draws, shape (size, draw).

    And how many runs of a pool it was asked about.
    """
    which, draws = case
    first, second = pools
    parts = second["part"].values if "part" in second.coords else np.zeros(second.sizes["seed"])
    matrix = None
    rests = isinstance(method, ByDistance | Spectral)
    if rests:
        most = method.most_runs if isinstance(method, ByDistance) else None
        if most is not None:
            # Of one part, so that all of them went through one map.
            kept = np.flatnonzero(parts == parts[0])[:most]
            first, second, parts = first.isel(seed=slice(most)), second.isel(seed=kept), parts[kept]
        matrix = distances(method, first, second)
    count = first.sizes["seed"]
    found: list[Answers] = []
    for size in plan.sizes:
        drawn = list(groups(count, parts, size, draws, (plan.first_seed, which, size)))
        if not rests:
            ask = partial(asked, method)
            found.append(answers_of_function(ask, (first, second), drawn))
        elif matrix is not None:
            found.append(answers_of_matrix(matrix, count, drawn, plan.permutations))
        else:
            found.append((np.full(draws, np.nan),) * 2)
    p, effect = (np.stack(values) for values in zip(*found, strict=True))
    return p, effect, min(count, second.sizes["seed"])


def _column(values: Sequence[Any]) -> np.ndarray:
    return np.array(values, bool if isinstance(values[0], bool) else object)
