"""Which verdicts survive other ways to estimate the spectra."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from koopscope.config.controls import RECODED, kind_of
from koopscope.experiments.equivalence.comparison import Rule, compare_study
from koopscope.experiments.equivalence.labels import CONTROL_LINE
from koopscope.experiments.equivalence.study import Study

KEPT = ("effect", "effect_low", "effect_high", "p_value", "p_adjusted", "between", "within")
OF_LINES = ("control_effect", "control_effect_low", "control_effect_high", "control_p_value")
AS_COMPARED = "as compared"


def compare_alternates(
    study: Study,
    spectra: Mapping[str, xr.Dataset],
    alternates: Mapping[str, Mapping[str, xr.Dataset]],
    rule: Rule | None = None,
) -> xr.Dataset:
    """Verdicts on a study's pairs as it stands, and by each alternate.

    Parameters
    ----------
    study
        With alternates.
    spectra
        By variant, as for :func:`koopscope.experiments.equivalence.comparison.compare_study`.
    alternates
        By alternate, and variant or control line.
    rule
        How verdicts are reached.

    Returns
    -------
    xarray.Dataset
        Dims ``alternate`` (the first is "as compared") and ``pair``: ``effect``, ``effect_low``,
        ``effect_high``, ``p_value``, ``p_adjusted``, ``between``, ``within``, ``verdict``; and
        ``changes`` (alternate). ``survives`` (pair): whether the verdict is the same throughout.
        ``smallest_effect`` (alternate), by which it was reached: without recoded control lines of
        its own, the study's. Where there are such lines, dims (alternate, control_line):
        ``control_effect``, ``control_effect_low``, ``control_effect_high``, ``control_p_value``,
        ``control_verdict``; NaN, or "", for alternates without.
    """
    rule = rule or Rule()
    first = compare_study(study, spectra, rule)
    parts = {AS_COMPARED: ("", first)}
    for alternate in study.alternates:
        changed = replace(
            study,
            variants=alternate.variants,
            control_lines=alternate.control_lines,
            alternates=(),
            scan=(),
        )
        own = any(kind_of(line.name) == RECODED for line in alternate.control_lines)
        given = rule if own else replace(rule, smallest_effect=first.attrs["smallest_effect"])
        found = compare_study(changed, alternates[alternate.name], given)
        parts[alternate.name] = (alternate.changes, found)
    results = [found for _, found in parts.values()]
    words = np.stack([found["verdict"].values for found in results]).astype(object)
    columns = {name: np.stack([found[name].values for found in results]) for name in KEPT}
    margins = [found.attrs["smallest_effect"] for found in results]
    out = xr.Dataset(
        {
            **{name: (("alternate", "pair"), values) for name, values in columns.items()},
            "verdict": (("alternate", "pair"), words),
            "smallest_effect": ("alternate", margins),
            "survives": ("pair", (words == words[0]).all(axis=0)),
            "changes": ("alternate", np.array([c for c, _ in parts.values()], dtype=object)),
        },
        coords={
            "alternate": np.array(list(parts), dtype=object),
            **{
                name: ("pair", first[name].values)
                for name in ("first", "second", "expected", "because")
            },
        },
        attrs=first.attrs,
    )
    return out.merge(_control_lines(results))


def _control_lines(results: Sequence[xr.Dataset]) -> xr.Dataset:
    """Control lines of all ways to estimate, along ``alternate``; empty where none has any."""
    every = dict.fromkeys(
        name for r in results if CONTROL_LINE in r.dims for name in r[CONTROL_LINE].values
    )
    if not every:
        return xr.Dataset()
    numbers = {name: np.full((len(results), len(every)), np.nan) for name in OF_LINES}
    words = np.full((len(results), len(every)), "", dtype=object)
    for i, result in enumerate(results):
        for j, name in enumerate(every):
            if CONTROL_LINE in result.dims and name in result[CONTROL_LINE].values:
                line = result.sel({CONTROL_LINE: name})
                words[i, j] = str(line["control_verdict"].values)
                for number, values in numbers.items():
                    values[i, j] = line[number].values
    dims = ("alternate", CONTROL_LINE)
    return xr.Dataset(
        {name: (dims, values) for name, values in (numbers | {"control_verdict": words}).items()},
        coords={CONTROL_LINE: np.array(list(every), dtype=object)},
    )
