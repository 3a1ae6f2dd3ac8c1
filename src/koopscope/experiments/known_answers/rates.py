"""False positives, power and the choice of coordinates, of the answers that methods gave.

The rule stands in docs/decisions.md, written before the seeds of the final run were looked at:
coordinates are admissible if they take each core equivalence for a difference in at most
``MOST`` of the draws of ``DECIDING`` seeds a group; of these the ones of the highest mean power are
the default.
"""

import numpy as np
import xarray as xr
from scipy.stats import beta

from koopscope.experiments.known_answers.vocabulary import DIFFERENT, spectrum_named

ALPHA, MOST, DECIDING = 0.05, 0.07, 10
TAIL = 0.025


def rates(answers: xr.Dataset) -> xr.Dataset:
    """How often each method calls each case different.

    Parameters
    ----------
    answers
        As :func:`koopscope.experiments.known_answers.run.run` gives them.

    Returns
    -------
    xarray.Dataset
        - ``answered`` (approach, case, size): share of draws with an answer.
        - ``rate``: share of these with p at most 0.05, ``rate_low`` and ``rate_high`` its 95 %
          interval (Clopper and Pearson) for as many draws as there are without a run in two of
          them: shares over draws from one pool scatter no more than that (Hoeffding, Ann. Math.
          Stat. 19, 1948).
        - ``equal_rate``: the same with p at most ``cutoff`` (approach, size), the largest that at
          most 5 % of the draws of core cases reach, all counting alike.
        - ``effect`` (approach, case, size): median of the draws.
        - ``worst`` (approach, size): highest rate among core cases, NaN where one has no answer.
        - ``power`` (approach, size) and ``equal_power``: means over the different cases; no answer
          is no power.
        - ``admissible`` (approach): ``worst`` at the deciding size is at most 7 %.
        - ``candidate`` (approach): spectra of weights by the verdict's distance.
        Attribute ``chosen``: the candidate that is admissible and has the highest power at the
        deciding size; empty if there is none, no different case, or not every core case that there
        is. ``deciding``: seeds a group that decide.
    """
    p = answers["p_value"]
    known = p.notnull()
    answered = known.sum("draw") / answers["draws"]
    rate = (p <= ALPHA).sum("draw") / known.sum("draw").where(lambda count: count > 0)
    different = answers["answer"] == DIFFERENT
    core = answers["core"].astype(bool)
    cutoff = xr.apply_ufunc(
        _cutoff,
        p.isel(case=np.flatnonzero(core)),
        input_core_dims=[["case", "draw"]],
        vectorize=True,
    )
    low, high = _intervals(rate, answers)
    equal = (p <= cutoff).sum("draw") / answers["draws"]
    known_rate = rate.where(answered > 0)
    # Of no core case there is no highest rate.
    no_rate = rate.isel(case=0, drop=True) * np.nan
    of_core = known_rate.isel(case=np.flatnonzero(core))
    worst = of_core.max("case", skipna=False) if core.any() else no_rate
    power = (rate.fillna(0) * answered).where(different).mean("case")
    equal_power = equal.where(different).mean("case")
    deciding = DECIDING if DECIDING in answers["size"] else int(answers["size"][-1])
    admissible = worst.sel(size=deciding) <= MOST
    candidate = [_is_candidate(str(name)) for name in answers["approach"].values]
    out = xr.Dataset(
        {
            "answered": answered,
            "rate": rate,
            "rate_low": low,
            "rate_high": high,
            "cutoff": cutoff,
            "equal_rate": equal,
            "effect": answers["effect"].median("draw"),
            "worst": worst,
            "power": power,
            "equal_power": equal_power,
            "admissible": admissible,
            "candidate": ("approach", candidate),
        }
    )
    at = out["power"].sel(size=deciding).values
    every = int(core.sum()) == answers.attrs["core_cases"]
    able = np.flatnonzero(out["admissible"] & out["candidate"] & np.isfinite(at) & every)
    chosen = str(out["approach"].values[able[np.argmax(at[able])]]) if len(able) else ""
    return out.assign_attrs(chosen=chosen, deciding=deciding)


def _is_candidate(name: str) -> bool:
    found = spectrum_named(name)
    return found is not None and (found.distance, found.observable) == ("wasserstein", "weights")


def _cutoff(p: np.ndarray) -> float:
    """Largest p that at most 5 % of the draws reach, each case counting alike; 0 if none is.

    Draws without an answer reach no p.
    """
    weights = np.broadcast_to(1 / np.maximum(np.isfinite(p).sum(axis=1, keepdims=True), 1), p.shape)
    order = np.argsort(p, axis=None)
    values, shares = p.ravel()[order], weights.ravel()[order] / max(len(p), 1)
    kept = np.isfinite(values)
    values, reached = values[kept], shares[kept].cumsum()
    # All draws of one p are reached together.
    last = np.append(values[1:] > values[:-1], True)
    allowed = values[last & (reached <= ALPHA)]
    return float(allowed[-1]) if len(allowed) else 0.0


def _intervals(rate: xr.DataArray, answers: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Ends of the intervals of rates."""
    runs = answers["pool"].transpose("approach", "case").values[..., None]
    apart = np.minimum(answers["draws"].values[:, None], runs // answers["size"].values)
    count = np.maximum(apart, 1)
    called = np.round(rate.transpose("approach", "case", "size").values * count)
    # Clopper and Pearson's, of which the end is 0 where none is called different, or 1 where all.
    low = np.where(called == 0, 0, beta.ppf(TAIL, called, count - called + 1))
    high = np.where(called == count, 1, beta.ppf(1 - TAIL, called + 1, count - called))
    return rate.copy(data=low), rate.copy(data=high)
