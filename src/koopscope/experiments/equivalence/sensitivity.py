"""Which verdicts survive other ways to estimate the spectra."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from koopscope.experiments.equivalence.comparison import Rule, compare_study
from koopscope.experiments.equivalence.study import Study

KEPT = ("effect", "effect_low", "effect_high", "p_value", "p_adjusted", "between", "within")
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
        By alternate and variant.
    rule
        How verdicts are reached.

    Returns
    -------
    xarray.Dataset
        Dims ``alternate`` (the first is "as compared") and ``pair``: ``effect``, ``effect_low``,
        ``effect_high``, ``p_value``, ``p_adjusted``, ``between``, ``within``, ``verdict``; and
        ``changes`` (alternate). ``survives`` (pair): whether the verdict is the same throughout.
    """
    parts = {AS_COMPARED: ("", compare_study(study, spectra, rule))}
    for alternate in study.alternates:
        changed = replace(study, variants=alternate.variants, alternates=(), scan=())
        found = compare_study(changed, alternates[alternate.name], rule)
        parts[alternate.name] = (alternate.changes, found)
    first = parts[AS_COMPARED][1]
    results = [found for _, found in parts.values()]
    words = np.stack([found["verdict"].values for found in results]).astype(object)
    columns = {name: np.stack([found[name].values for found in results]) for name in KEPT}
    return xr.Dataset(
        {
            **{name: (("alternate", "pair"), values) for name, values in columns.items()},
            "verdict": (("alternate", "pair"), words),
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
