"""Does one ratio of two factors, such as learning rate to batch size, fix the dynamics?"""

from collections.abc import Mapping
from math import isclose

import numpy as np

from koopscope.compare.intervals import percentile_interval
from koopscope.compare.verdict import effects, resamples
from koopscope.config.setups import factor_value
from koopscope.experiments.equivalence.study import Study


def along_the_line(
    study: Study,
    distances: np.ndarray,
    groups: Mapping[str, np.ndarray],
    bootstrap: int = 1000,
) -> dict[str, float]:
    """Compare points on the reference's line of constant ratio with their mirror images off it.

    A point (s x, s y) on the line through the reference (x, y) and its mirror image (s x, y / s)
    change both factors by as much; only the first keeps their ratio. If the ratio alone mattered,
    the first would lie at the reference's distance from itself and the second would not.

    Returns
    -------
    dict
        Empty unless the study scans two factors and has such points; else ``line_points`` (their
        number), ``line_effect`` and ``mirror_effect`` (mean effects against the reference),
        ``line_difference`` (the first minus the second) and its bootstrap interval over
        seeds, ``line_difference_low`` and ``line_difference_high``.
    """
    points = _mirrored(study, groups) if len(study.scan) == 2 else []
    if not points or not bootstrap or not len(groups[study.reference]):
        return {}
    values = []
    for names in points:
        drawn = [_drawn(distances, groups, study.reference, n, bootstrap) for n in names]
        values.append(np.stack(drawn))
    every = {study.reference, *(name for names in points for name in names)}
    # Over points; then (on or off the line, the data and its resamples).
    means = np.mean(values, axis=0)
    difference = means[0] - means[1]
    low, high = percentile_interval(difference[1:], *(len(groups[name]) for name in every))
    return {
        "line_points": len(points),
        "line_effect": float(means[0, 0]),
        "mirror_effect": float(means[1, 0]),
        "line_difference": float(difference[0]),
        "line_difference_low": low,
        "line_difference_high": high,
    }


def _mirrored(study: Study, groups: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """Names of the points on the line and of their mirror images, where both are there."""
    at = {}
    for v in study.variants:
        values = [factor_value(v.setup, field) for field in study.scan]
        if len(groups[v.name]) > 1:
            at[v.name] = values
    if study.reference not in at:
        return []
    x0, y0 = at[study.reference]
    found = []
    for name, (x, y) in at.items():
        if isclose(x, x0) or not isclose(x / x0, y / y0):
            continue
        found += [
            (name, other)
            for other, (u, v) in at.items()
            if isclose(u, x) and isclose(v, y0 * y0 / y)
        ]
    return found


def _drawn(
    distances: np.ndarray,
    groups: Mapping[str, np.ndarray],
    reference: str,
    name: str,
    bootstrap: int,
) -> np.ndarray:
    """Effect between a point and the reference, and over resampled seeds: shape (1 + bootstrap,).

    The reference's seeds are resampled alike for every point of one size.
    """
    first, second = groups[reference], groups[name]
    order = np.concatenate([first, second])
    local = distances[np.ix_(order, order)]
    a, b = resamples(len(first), len(second), bootstrap, 0)
    ones = np.ones((1, len(first))), np.ones((1, len(second)))
    return effects(local, np.concatenate([ones[0], a]), np.concatenate([ones[1], b]))[2]
