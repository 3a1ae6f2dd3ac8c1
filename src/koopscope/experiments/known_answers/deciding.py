"""What the rates come to at the size of groups that decides, for figures and text."""

import numpy as np
import xarray as xr

from koopscope.compare.words import word
from koopscope.experiments.known_answers.rates import rates
from koopscope.experiments.known_answers.vocabulary import EQUIVALENT
from koopscope.report.datasets import require, strings

# Kinds of cases, in the order in which they are shown.
CORE, OTHER = "core equivalences", "other equivalences"
SAME_CURVE = "differences with the same loss curve"
OTHER_CURVE = "differences with another loss curve"
GROUPS = (CORE, OTHER, SAME_CURVE, OTHER_CURVE)
ALL = "all differences"
# Kinds of methods: only the first may be chosen.
CANDIDATES, SPECTRA, PLAIN = "coordinates of weights", "other spectra", "without a spectrum"
FAMILIES = (CANDIDATES, SPECTRA, PLAIN)
RAW, LOSS_CURVE = "spectrum raw", "loss_curve"
BOUNDS = ("mean", "low", "high")
OF_CASES = ("answer", "core", "same_curve", "system", "because", "draws")
NEEDED = ("p_value", "effect", "seconds", "pool", "spectral", *OF_CASES)


def decided(answers: xr.Dataset, purpose: str) -> xr.Dataset:
    """Rates of each method on each case, at the size that decides.

    Parameters
    ----------
    answers
        As :func:`koopscope.experiments.known_answers.run.run` gives them.
    purpose
        Who asks, for the line that refuses.

    Returns
    -------
    xarray.Dataset
        Cases lie by ``group`` (case), one of ``GROUPS``, methods by ``family`` (approach), one of
        ``FAMILIES``, and in these as they were.

        - ``rate`` (approach, case, bound): share of draws called different, with its interval;
          ``answered`` (approach, case): share of draws with an answer.
        - ``worst`` (approach, bound): the highest rate among core cases, with the interval of that
          case, ``worst_case`` (approach); NaN and empty where a core case has no answer.
        - ``power`` (approach, kind, bound): mean rate of the cases of a kind of difference, no
          answer counted as no power. Its interval is the mean of those of the cases: as wide as if
          all cases erred together, which holds whatever runs they share.
        - ``equal_power``, ``admissible``, ``seconds`` (approach; of all answers).
        Attributes as in the store, ``chosen`` and ``deciding``.

    Raises
    ------
    InputError
        If the dataset lacks a variable, or has no method, case, size or draw.
    """
    for dim in ("approach", "case", "size", "draw"):
        require(answers, purpose, "known_answers", NEEDED, dim=dim)
    found = rates(answers)
    family = np.where(found["spectral"], SPECTRA, PLAIN)
    family = np.where(found["candidate"], CANDIDATES, family).astype(object)
    group = _groups(answers)
    cases, methods = _order(group, GROUPS), _order(family, FAMILIES)
    at = found.sel(size=found.attrs["deciding"]).isel(case=cases, approach=methods)
    group, family = group[cases], family[methods]
    rate = _bounds(at["rate"], at["rate_low"], at["rate_high"])
    worst, worst_case = _worst(rate, group == CORE)
    seen = (rate * at["answered"]).fillna(0).transpose("approach", "case", "bound").values
    kinds = {
        ALL: np.isin(group, (SAME_CURVE, OTHER_CURVE)),
        SAME_CURVE: group == SAME_CURVE,
        OTHER_CURVE: group == OTHER_CURVE,
    }
    power = [_mean(seen[:, of_kind]) for of_kind in kinds.values()]
    return xr.Dataset(
        {
            "rate": rate,
            "answered": at["answered"],
            "worst": (("approach", "bound"), worst),
            "worst_case": ("approach", worst_case),
            "power": (("approach", "kind", "bound"), np.stack(power, axis=1)),
            "equal_power": at["equal_power"],
            "admissible": at["admissible"],
            "seconds": answers["seconds"].sum("case").isel(approach=methods),
        },
        coords={
            "approach": strings(at["approach"]).astype(object),
            "case": strings(at["case"]).astype(object),
            "group": ("case", group),
            "kind": list(kinds),
            "bound": list(BOUNDS),
            "family": ("approach", family),
        },
        attrs=answers.attrs | found.attrs,
    )


def compared(found: xr.Dataset) -> xr.Dataset | None:
    """The spectrum against the loss curve, case by case.

    The spectrum is the chosen one; where none is, that of the first coordinates of weights that are
    admissible by the cases asked, or raw.

    Parameters
    ----------
    found
        Of :func:`decided`.

    Returns
    -------
    xarray.Dataset or None
        ``rate`` (side, case, bound) of ``spectrum`` and ``loss_curve``, ``difference`` (case,
        bound) of the first less the second, with a 95 % interval by squares and sums of the ends
        of both (Newcombe, Statistics in Medicine 17, 1998, method 10, here of exact intervals): as
        if they were asked about other runs, so that it is wider than need be. ``word`` (case): the
        spectrum is ``better`` where the interval lies on the right side of 0, below it for
        equivalences, ``worse`` where it lies on the other one, or ``neither``. Attribute
        ``spectrum``: its name. None without loss curves or without a spectrum to set against them.
    """
    names = list(found["approach"].values)
    able = found["admissible"] & (found["family"] == CANDIDATES)
    others = [name for name, yes in zip(names, able.values, strict=True) if yes]
    spectrum = found.attrs["chosen"] or (others or [RAW])[0]
    if spectrum not in names or LOSS_CURVE not in names:
        return None
    both = found["rate"].sel(approach=[spectrum, LOSS_CURVE])
    (a, a_low, a_high), (b, b_low, b_high) = both.transpose("approach", "bound", "case").values
    difference = a - b
    low = difference - np.hypot(a - a_low, b_high - b)
    high = difference + np.hypot(a_high - a, b - b_low)
    sign = np.where(np.isin(found["group"], (CORE, OTHER)), -1, 1)
    # Of equivalences the spectrum is better where it sees less.
    better = np.where(sign > 0, low > 0, high < 0)
    worse = np.where(sign > 0, high < 0, low > 0)
    words = [word(*one) for one in zip(better, worse, strict=True)]
    return xr.Dataset(
        {
            "rate": both.rename(approach="side").assign_coords(side=["spectrum", LOSS_CURVE]),
            "difference": (("case", "bound"), np.stack([difference, low, high], axis=1)),
            "word": ("case", np.array(words, dtype=object)),
        },
        coords={"group": found["group"]},
        attrs={"spectrum": spectrum},
    )


def by_group(found: xr.Dataset) -> dict[str, xr.Dataset]:
    """Cases of each kind of which there are some, in the order in which kinds are shown."""
    group = found["group"].values
    return {
        name: found.isel(case=np.flatnonzero(group == name)) for name in GROUPS if name in group
    }


def _order(names: np.ndarray, kinds: tuple[str, ...]) -> np.ndarray:
    return np.argsort([kinds.index(name) for name in names], kind="stable")


def _groups(answers: xr.Dataset) -> np.ndarray:
    """Kind of each case."""
    known = zip(
        strings(answers["answer"]) == EQUIVALENT,
        answers["core"].values,
        answers["same_curve"].values,
        strict=True,
    )
    return np.array(
        [
            (CORE if core else OTHER) if equal else SAME_CURVE if same_curve else OTHER_CURVE
            for equal, core, same_curve in known
        ],
        dtype=object,
    )


def _bounds(*values: xr.DataArray) -> xr.DataArray:
    bound = xr.Variable("bound", list(BOUNDS))
    return xr.concat(values, bound).transpose("approach", "case", "bound")


def _worst(rate: xr.DataArray, core: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Highest rate among core cases with its interval, and the case."""
    values, names = rate.values[:, core], strings(rate["case"])[core]
    worst = np.full((len(values), len(BOUNDS)), np.nan)
    cases = [""] * len(values)
    for place, of_method in enumerate(values):
        if len(names) and np.isfinite(of_method[:, 0]).all():
            case = int(of_method[:, 0].argmax())
            worst[place], cases[place] = of_method[case], str(names[case])
    return worst, cases


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over axis 1; NaN over none."""
    if not values.shape[1]:
        return np.full((len(values), values.shape[2]), np.nan)
    return values.mean(axis=1)
