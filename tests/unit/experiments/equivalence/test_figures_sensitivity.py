"""Sensitivity: every cell holds its numbers, and verdicts that change stand out."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.known import alternates_store
from matplotlib.patches import Rectangle

from koopscope.errors import InputError
from koopscope.experiments.equivalence.figures.cells import Scale
from koopscope.experiments.equivalence.figures.sensitivity import sensitivity
from koopscope.experiments.equivalence.figures.verdicts import SIGNS

STORE = alternates_store()


def cells(axes) -> dict[tuple[int, int], str]:
    """Texts by row and column."""
    return {
        (round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axes.texts
    }


def frames(axes) -> set[tuple[int, int]]:
    found = [p for p in axes.patches if isinstance(p, Rectangle) and not p.get_fill()]
    return {(round(p.get_y() + 0.47), round(p.get_x() + 0.47)) for p in found}


def test_every_cell_holds_effect_interval_and_the_sign_of_its_verdict():
    found = cells(sensitivity(STORE).axes[0])
    for i, j in np.ndindex(7, 5):
        at = STORE.isel(alternate=i, pair=j)
        sign = SIGNS[at["verdict"].item()]
        if np.isnan(at["effect"]):
            assert found[i, j] == f"{sign} –"
        else:
            low, high = at["effect_low"].item(), at["effect_high"].item()
            expected = f"{sign} {at['effect'].item():.3g}\n[{low:.2g}, {high:.2g}]"
            assert found[i, j] == expected


def test_verdicts_other_than_as_compared_are_framed_and_counted():
    axes = sensitivity(STORE).axes[0]
    verdict = STORE["verdict"].values
    changed = verdict != verdict[0]
    assert frames(axes) == set(map(tuple, np.argwhere(changed).tolist()))
    found = cells(axes)
    for j in range(5):
        kept = int((~changed[:, j]).sum())
        said = "all 7" if kept == 7 else f"{kept} of 7"
        assert found[7, j] == f"{SIGNS[verdict[0, j]]} {said}"
    assert "all 7" in found[7, 2] and changed[:, 1].any()


def test_rows_say_what_changes_and_columns_what_was_expected():
    said = texts(sensitivity(STORE))
    assert "rank 6\n10 → 6" in said and "as compared\n" in said
    assert "h40 /\nh40_fresh\nexpected: ○" in said and "expected: open" in said
    assert "● distinguished   ○ not distinguished   ◇ inconclusive" in said
    assert "smallest of interest" in said


def test_colours_are_white_at_the_smallest_effect_of_interest():
    scale = Scale.of([1.0, 6.0, np.nan], 1.5)
    assert min(scale.fill(1.5)[:3]) > 0.94
    red, _, blue, _ = scale.fill(6.0)
    assert red > blue
    red, _, blue, _ = scale.fill(1.0)
    assert red < blue
    assert scale.fill(np.nan) == scale.fill(0.0)


def test_one_alternate_of_one_pair_can_be_drawn():
    assert "all 1" in texts(sensitivity(STORE.isel(alternate=[0], pair=[0])))


def test_wrong_stores_are_refused_in_one_line():
    with pytest.raises(InputError, match=r"^sensitivity: dataset has no alternates; .*$"):
        sensitivity(STORE.isel(alternate=slice(0)))
    with pytest.raises(InputError, match=r"^sensitivity: dataset lacks changes .*$"):
        sensitivity(STORE.drop_vars("changes"))
    wrong = STORE.copy(deep=True)
    wrong["verdict"][2, 3] = "perhaps"
    with pytest.raises(InputError, match=r"^verdict: unknown 'perhaps'; give one of .*$"):
        sensitivity(wrong)
