"""Figures of the benchmark show every method and case, and say where there is no answer."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.known_answers import CASES_SHOWN, RATES, known_answers_store
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from koopscope.experiments.known_answers.figures.loss_curve import spectrum_against_loss_curve
from koopscope.experiments.known_answers.figures.matrix import known_answers_matrix
from koopscope.experiments.known_answers.figures.power import power_by_false_positives
from koopscope.experiments.known_answers.names import CASES
from koopscope.experiments.known_answers.vocabulary import DIFFERENT

DRAWN = (power_by_false_positives, known_answers_matrix, spectrum_against_loss_curve)
MANY = {
    f"spectrum {coordinates}{distance}{of}": None
    for of in ("", " of probe", " of loss")
    for distance in ("", " residual_weighted")
    for coordinates in ("raw", "standardised", "normal_scores+whitened:10")
} | dict.fromkeys(("loss_curve", "weight_norm", "dsa"))


def many_store():
    rng = np.random.default_rng(1)
    shares = {
        name: [
            float(rng.choice([0.05, 0.9, 1.0]) if case.answer == DIFFERENT else 0.05)
            for case in CASES.values()
        ]
        for name in MANY
    }
    return known_answers_store(shares, tuple(CASES), (10,), draws=20)


@pytest.mark.parametrize("draw", DRAWN)
def test_a_figure_says_its_question_and_leaves_its_data_alone(draw):
    store = known_answers_store()
    before = store.copy(deep=True)
    assert "one: In which coordinates?" in texts(draw(store))
    assert before.identical(store)


def marks(figure, panel):
    """Marks of methods of a panel: place and whether filled."""
    return {
        (round(float(line.get_xdata()[0]), 3), round(float(line.get_ydata()[0]), 3)): to_hex(
            line.get_markerfacecolor()
        )
        != "#ffffff"
        for line in figure.axes[panel].lines
        if line.get_marker() in "osD" and line.get_markersize() < 10
    }


def test_each_method_stands_at_its_worst_rate_and_its_power():
    figure = power_by_false_positives(known_answers_store())
    # Raw, standardised, normal scores, probe, loss curve; and what has no answer, beside.
    assert marks(figure, 0) == {
        (100, 100): False,
        (7, 90): True,
        (6, 60): True,
        (4, 10): True,
        (5, 5): True,
        (230, 100): False,
    }
    assert (7, 80) in marks(figure, 1)
    found = texts(figure)
    assert "no\nanswer" in found and "spectrum standardised\n(chosen)" in found
    assert all(name in found for name in RATES if name != "spectrum standardised")


def test_without_a_missing_answer_there_is_no_place_for_one():
    shares = {name: rates for name, rates in RATES.items() if name != "output_cka"}
    assert "no\nanswer" not in texts(power_by_false_positives(known_answers_store(shares)))


def test_a_kind_of_difference_without_a_case_is_said():
    store = known_answers_store().sel(case=["fresh seeds", "tanh"])
    figure = power_by_false_positives(store)
    assert "no such case" in texts(figure) and not marks(figure, 0)


def numbers(figure):
    """Extents of the numbers beside marks, in pixels, of each panel."""
    # Without the lines that lead from some to their marks.
    return [
        [Text.get_window_extent(text) for text in panel.texts if text.get_text().isdigit()]
        for panel in figure.axes
    ]


def test_numbers_of_methods_do_not_lie_upon_each_other():
    for store in (known_answers_store(), many_store()):
        figure = power_by_false_positives(store)
        figure.draw_without_rendering()
        for boxes in numbers(figure):
            assert len(boxes) == store.sizes["approach"]
            for k, box in enumerate(boxes):
                assert not any(box.overlaps(other) for other in boxes[:k])


def cells(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_cell_has_its_number_and_those_without_an_answer_are_hatched():
    figure = known_answers_matrix(known_answers_store())
    said = cells(figure)
    rates = [rate for shares in RATES.values() for rate in shares if rate is not None]
    assert sorted(s for s in said if s.isdigit()) == sorted(f"{100 * rate:.0f}" for rate in rates)
    hatched = [p for p in figure.axes[0].patches if p.get_hatch()]
    assert len(hatched) == 1
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == list(CASES_SHOWN)


def test_false_positives_above_the_limit_alone_are_framed():
    figure = known_answers_matrix(known_answers_store())
    frames = [
        patch
        for patch in figure.axes[0].patches
        if isinstance(patch, Rectangle) and not patch.get_fill()
    ]
    # Raw under rescaled units and the loss curve under another loss; 7 % is at the limit.
    assert len(frames) == 2
    shares = RATES | {"spectrum standardised": (0.05, 0.074, 0.04, 0.9, 0.8)}
    store = known_answers_store(shares, draws=1000)
    assert "7.4" in cells(known_answers_matrix(store))


def test_heads_mark_what_is_chosen_and_what_is_admissible():
    figure = known_answers_matrix(known_answers_store())
    heads = [
        " ".join(label.get_text().replace("\N{NO-BREAK SPACE}", " ").split())
        for label in figure.axes[0].get_xticklabels()
    ]
    assert heads == [
        "spectrum raw ○",
        "spectrum standardised ★",
        "spectrum normal_scores ●",
        "spectrum raw of probe ●",
        "loss_curve ●",
        "output_cka ○",
    ]


@pytest.mark.parametrize("draw", DRAWN)
def test_all_cases_and_many_methods_stay_within_the_figure_in_letters_that_can_be_read(draw):
    figure = draw(many_store())
    figure.draw_without_rendering()
    assert figure.get_figwidth() <= 8
    for panel in figure.axes:
        box = panel.get_tightbbox()
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1
        assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1
        labels = [*panel.get_xticklabels(), *panel.get_yticklabels(), *panel.texts]
        assert min(label.get_fontsize() for label in labels) >= 7
    rows = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert not any(one.overlaps(other) for one, other in zip(rows, rows[1:], strict=False))


def test_only_cases_of_which_one_says_more_are_set_against_each_other():
    figure = spectrum_against_loss_curve(known_answers_store())
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["loss times 8", "time reversed", "tanh"]
    found = texts(figure)
    assert "other equivalences: fewer is better" in found
    assert "differences with the same loss curve: more is better" in found
    assert "3 of 5 cases" in found
    places = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() in "oD"]
    assert places == pytest.approx([4, 100, 90, 5, 80, 100])


def test_nothing_to_set_against_each_other_is_said():
    same = spectrum_against_loss_curve(known_answers_store(runs=20))
    assert "no case in which one says more than the other" in texts(same)
    alone = known_answers_store({"loss_curve": RATES["loss_curve"]})
    assert "no spectrum and loss curve to compare" in texts(spectrum_against_loss_curve(alone))
