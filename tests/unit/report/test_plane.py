"""Eigenvalues in the complex plane: none is left out, and what is trusted is told apart."""

import numpy as np

from koopscope.report.plane import draw_plane
from koopscope.report.style import new_figure


def test_eigenvalues_are_filled_where_the_residual_is_small_and_none_is_left_out():
    figure = new_figure(3, 3)
    panel = figure.subplots()
    values = np.array([1, 0.9 + 0.1j, 3.0, np.nan, -2j])
    draw_plane(panel, values, np.array([0.0, 0.5, 0.0, 0.0, 0.01]))
    marks = [line for line in panel.lines if line.get_linestyle() == "None"]
    points = sum(len(line.get_xydata()) for line in marks if line.get_marker() != "+")
    assert points == 4
    hollow = [line for line in marks if line.get_markerfacecolor() == "none"]
    assert sum(len(line.get_xydata()) for line in hollow) == 1
    outside = [line.get_xydata() for line in marks if line.get_marker() == "^"]
    assert sum(map(len, outside)) == 2
