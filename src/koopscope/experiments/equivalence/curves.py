"""Loss and accuracy of a study's variants, small enough to draw."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from koopscope.experiments.equivalence.settings import settings
from koopscope.experiments.equivalence.study import Study


def training_curves(study: Study, trajectories: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Curves of every seed of every variant, means over its initialisations.

    Parameters
    ----------
    study
        For its name, question and the order of its variants.
    trajectories
        By variant, as :mod:`koopscope.training.recording` and
        :func:`koopscope.training.online.trajectories` give them.

    Returns
    -------
    xarray.Dataset
        Dim ``sample`` (coordinates ``variant``, ``seed``): ``loss`` (sample, step), ``accuracy``
        (sample, evaluation; only if some variant has it; coordinate ``evaluation_step``) and
        ``diverged`` (sample; number of runs). Runs that diverged do not count in the means; NaN
        where a variant has fewer steps than another.
    """
    parts = [_curves(variant.name, trajectories[variant.name]) for variant in study.variants]
    curves = xr.concat(parts, dim="sample", join="outer", combine_attrs="drop")
    if "evaluation" in curves.dims:
        curves = curves.assign_coords(evaluation_step=("evaluation", curves["evaluation"].values))
    first = trajectories[study.variants[0].name]
    return curves.assign_attrs(
        study=study.name,
        question=study.question,
        loss_name=first.attrs["loss_name"],
        initialisations=first.sizes["init"],
        settings=settings(study),
    )


def _curves(name: str, trajectories: xr.Dataset) -> xr.Dataset:
    finite = ~(trajectories["diverged_at"] >= 0)
    kept = [v for v in ("loss", "accuracy") if v in trajectories]
    means = trajectories[kept].where(finite).mean("init", dtype=np.float64)
    seeds = trajectories["seed"].values
    return (
        means.assign(diverged=(~finite).sum("init"))
        .rename(seed="sample")
        .drop_vars("sample")
        .assign_coords(
            seed=("sample", seeds), variant=("sample", np.full(len(seeds), name, object))
        )
    )
