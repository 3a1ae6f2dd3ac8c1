"""Effects between all windows, a matrix a part of the network."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from koopscope.experiments.early_phase.figures.panels import (
    CEILING,
    NEEDED,
    arranged,
    window_names,
)
from koopscope.report.datasets import require, strings
from koopscope.report.style import PLAIN, new_figure, panels_of, reported, title


@reported("3 distances between all windows", of="early_phase")
def all_windows(found: xr.Dataset) -> Figure:
    """Draw the effect between every two windows.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.early_phase.run.run` gives it.

    Raises
    ------
    InputError
        If a variable is missing, or there is no window.
    """
    require(found, "all windows", "early_phase", NEEDED, dim="window")
    spectral = found.isel(measure=np.flatnonzero(found["spectral"].values))
    names, parts = window_names(found), strings(spectral["measure"])
    width, rows, columns = arranged(len(parts))
    figure = new_figure(width, (min((width - 1) / columns, 2.1) + 0.3) * rows)
    panels = panels_of(figure, len(parts), rows, columns)
    values = spectral["matrix"].transpose("measure", "window", "other").values
    known = values[np.isfinite(values) & (values > 0)]
    top = min(max([1.5, *known]), CEILING)
    shown = None
    for place, (panel, name, matrix) in enumerate(zip(panels, parts, values, strict=True)):
        # Seeds are no closer than seeds: what is below 1 is chance.
        shown = panel.imshow(
            np.log10(np.clip(matrix, 1, top)), vmin=0, vmax=np.log10(top), cmap="cividis"
        )
        panel.set_title(name)
        panel.set_xticks(range(len(names)), names, rotation=90)
        panel.set_yticks(range(len(names)), names)
        lowest, first = place + columns >= len(parts), place % columns == 0
        panel.tick_params(labelbottom=lowest, labelleft=first)
        panel.grid(visible=False)
    if shown is not None:
        bar = figure.colorbar(shown, ax=figure.axes, shrink=0.7, label="effect between two windows")
        ticks = [tick for tick in (1, 1.1, 1.5, 2, 3, 5, 10, 20, 30) if tick <= top]
        bar.ax.yaxis.set_major_locator(FixedLocator(np.log10(ticks)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_minor_formatter(NullFormatter())
        bar.ax.set_yticklabels([PLAIN(tick) for tick in ticks])
    title(figure, found.attrs)
    return figure
