"""Denoising: the figures show every method, every level of noise, and the spread over seeds."""

import numpy as np
import pytest
from fixtures.denoising import FILTERS, LOSSES, denoising_store
from fixtures.drawn import texts

from koopscope.artefacts.names import named
from koopscope.experiments.denoising.figures import (
    bands,
    errors,
    learning,
    modes,
    reconstructions,
)
from koopscope.experiments.registry import kind_of

FOUND = denoising_store()
SHOWN = {shown.name: named(shown.function) for shown in kind_of("denoising").shown}


def lines(axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines]


def bars(axes) -> list[tuple[float, float]]:
    found = [c.get_segments() for c in axes.collections if hasattr(c, "get_segments")]
    return [tuple(s[:, 1]) for segments in found for s in segments]


def test_errors_are_medians_with_bars_from_the_least_to_the_greatest():
    figure = errors(FOUND)
    said = texts(figure)
    assert all(name in said for name in (*LOSSES, *FILTERS, "−10", "least to greatest"))
    assert len(figure.axes) == 2 * 3
    first = lines(figure.axes[0])[0]
    # From −10 to 20 dB.
    np.testing.assert_allclose(first[:, 1], [3, 3 / 10**1.5])
    assert any(np.allclose(bar, (2.7, 3.3)) for bar in bars(figure.axes[0]))
    assert "stopped by the residual" in figure.axes[1].get_title()


def test_bands_lie_beside_the_clean_signals_size():
    figure = bands(FOUND)
    of_signal, _, of_image, _ = figure.axes
    assert "falling-tones, 20 dB" in of_signal.get_title()
    names = [tick.get_text() for tick in of_image.get_xticklabels()]
    assert names == ["0–1.7", "1.7–5.2", "5.2–15.6"]
    noisy_least = lines(figure.axes[1])[0]
    np.testing.assert_allclose(noisy_least[:, 1], 3 * np.array([0.5, 0.5, np.sqrt(0.5)]))
    # A band without signal has no line of its own size.
    heights = {round(y, 6) for bar in bars(of_signal) if bar[0] == bar[1] for y in bar}
    assert heights == {0.5, round(np.sqrt(0.5), 6)}


def test_reconstructions_have_a_row_for_each_method_with_its_error():
    figure = reconstructions(FOUND)
    rows = 1 + len(LOSSES) + len(FILTERS) - 1
    assert len(figure.axes) == rows * 4
    assert [axes.get_ylabel() for axes in figure.axes[::4]] == ["noisy", *LOSSES, *FILTERS[1:]]
    said = texts(figure)
    assert "error 0.1" in said and "error 0.2" in said and "error 1" in said
    images = [axes for axes in figure.axes if axes.images]
    assert len(images) == rows * 2 and images[0].images[0].get_array().shape == (8, 8)


def test_images_alone_can_be_drawn():
    figure = reconstructions(denoising_store(("digits",)))
    assert all(axes.images for axes in figure.axes) and "images: grey" in texts(figure)


def test_what_is_never_learned_is_drawn_above_the_last_step():
    figure = learning(FOUND)
    of_mse, of_s1 = lines(figure.axes[0])[:2]
    np.testing.assert_allclose(of_mse[:, 1], [10, 20, 50])
    assert of_s1[2, 1] > 100
    assert "never" in texts(figure)
    # Two tones alone in the image.
    assert len(lines(figure.axes[2])[0]) == 2


def test_modes_with_a_large_residual_are_hollow():
    figure = modes(FOUND)
    assert "rank correlation +0.50" in texts(figure)
    solid, hollow = figure.axes[0].lines[:2]
    assert len(solid.get_xydata()) == 3 * 2 and len(hollow.get_xydata()) == 3 * 2
    assert hollow.get_markerfacecolor() == "none"


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("count", [1, 5])
def test_few_and_many_cases_fit(name, count):
    filters = ("noisy", *(f"a filter {i}" for i in range(6)))
    store = denoising_store(
        ("falling-tones", "digits")[: min(count, 2)],
        (20.0, 10.0, 0.0, -10.0, -20.0)[:count],
        ("mse", *(f"s{i}" for i in range(1, 7)))[: count + 1],
        filters[: count + 1],
    )
    figure = SHOWN[name](store)
    figure.draw_without_rendering()
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
