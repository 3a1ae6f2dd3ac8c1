"""What a figure shows: its texts and its points, of figures of two made-up studies."""

import matplotlib as mpl
import numpy as np
from builders import optimisers_comparison, optimisers_curves, widths_comparison, widths_curves
from builders_depth import depths_store, pruned_store
from builders_hsvr import baselines_store, transitions_store
from builders_known import alternates_store, calibration_store, ladder_comparison, plane_comparison
from builders_sobolev import denoising_store
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from koopscope.figures import (
    FIGURES,
    MORE,
    OF_KIND,
    depths,
    layers,
    pruned_training,
    regressors,
    transitions,
)

CASES = {
    "widths": (widths_comparison(), widths_curves()),
    "optimisers": (optimisers_comparison(), optimisers_curves()),
}
# Every figure function, with a dataset that it draws, the store it reads, and that store's dim.
EVERY = {
    f"{name}-{case}": (function, stores[source == "curves"], source, "sample")
    for case, stores in CASES.items()
    for name, (function, source) in FIGURES.items()
}
EVERY |= {
    name: (function, calibration_store(40), source, "draw")
    for name, (function, source) in MORE.items()
    if source == "calibration"
}
EVERY |= {
    "sensitivity": (*MORE["sensitivity"][:1], alternates_store(), "sensitivity", "pair"),
    "scan-ladder": (MORE["scan"][0], ladder_comparison(), "comparison", "sample"),
    "scan-plane": (MORE["scan"][0], plane_comparison(), "comparison", "sample"),
}
EVERY |= {
    "transitions": (transitions, transitions_store(), "transitions", "case"),
    "layers": (layers, transitions_store(), "transitions", "case"),
    "regressors": (regressors, baselines_store(), "baselines", "case"),
}
EVERY |= {
    "depths": (depths, depths_store(), "depths", "case"),
    "pruned_training": (pruned_training, pruned_store(), "pruned training", "seed"),
}
EVERY |= {
    f"denoising-{name}": (function, denoising_store(("falling-tones",)), "sobolev", "signal")
    for name, function in OF_KIND["sobolev"].items()
}


def draw(name: str, case: str) -> Figure:
    function, source = FIGURES[name]
    comparison, curves = CASES[case]
    return function(comparison if source == "comparison" else curves)


def texts(figure: Figure) -> str:
    found = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    return "\n".join(found)


def dots(axes, only: str = "") -> np.ndarray:
    found = [
        c.get_offsets().data
        for c in axes.collections
        if isinstance(c, PathCollection) and only in str(c.get_label())
    ]
    return np.concatenate([np.asarray(x).reshape(-1, 2) for x in found])


def as_points(values: np.ndarray) -> np.ndarray:
    values = values[np.isfinite(values)]
    return np.column_stack([values.real, values.imag])


def sorted_rows(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.T)]
