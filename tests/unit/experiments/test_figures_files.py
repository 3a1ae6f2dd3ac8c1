"""What holds for every figure: the same bytes, no traces, and one line for a wrong dataset."""

import json
from pathlib import Path

import matplotlib as mpl
import pytest
import xarray as xr
from fixtures.drawn import EVERY, FIGURES, SHOWN, draw, texts
from fixtures.equivalence import widths_comparison, widths_curves

from koopscope.errors import InputError
from koopscope.report.style import LETTER, STYLE, WIDTHS, looks, save, settle

# A variable without which a figure cannot be drawn: of most figures, and of others by name.
USUAL = ("variant", "signal", "case", "pruner", "score", "first")
NEEDED = {
    "overlap": "pair",
    "fixed_points": "jaccard",
    "early_phase": "effect",
    "plain_markers": "effect",
    "all_windows": "effect",
    "stopping_curves": "stop",
    "stopping_tradeoff": "mean_lost",
    "stopping_spectra": "seen",
    "restart_spectra": "bad",
    "power_by_false_positives": "p_value",
    "known_answers_matrix": "p_value",
    "spectrum_against_loss_curve": "p_value",
    "restart_auc": "auc",
    "restart_savings": "steps",
}


@pytest.mark.parametrize("name", EVERY)
def test_files_have_the_same_bytes_each_time(name, tmp_path):
    function, dataset, *_ = EVERY[name]
    provenance = {"kind": "figure", "parameters": {"name": name}}
    # A name with a dot in it, as a digest gives.
    for folder in ("a", "b"):
        save(function(dataset), tmp_path / folder / "fig.3f9a", provenance)
    for suffix in ("pdf", "png"):
        one, two = (tmp_path / f / f"fig.3f9a.{suffix}" for f in ("a", "b"))
        assert one.read_bytes() == two.read_bytes()
    pdf = (tmp_path / "a" / "fig.3f9a.pdf").read_bytes()
    assert b"/FontType 42" in pdf or b"/CIDFontType2" in pdf
    assert b"CreationDate" not in pdf


def test_files_carry_the_identity_of_their_provenance(tmp_path):
    from koopscope.artefacts.provenance import digest, short

    provenance = {"kind": "figure"}
    save(draw("verdicts", "optimisers"), tmp_path / "fig", provenance)
    identity = short(digest(provenance)).encode()
    for suffix in ("pdf", "png"):
        assert identity in (tmp_path / f"fig.{suffix}").read_bytes()


@pytest.mark.parametrize("name", EVERY)
def test_figures_leave_no_pyplot_state_and_no_settings_behind(name):
    import matplotlib.pyplot as plt

    function, dataset, *_ = EVERY[name]
    before = dict(mpl.rcParams)
    function(dataset)
    assert not plt.get_fignums()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", EVERY)
def test_figures_fit_a_journal_and_can_be_read_there(name, width):
    function, dataset, *_ = EVERY[name]
    figure = function(dataset, width=width)
    assert figure.get_figwidth() in {WIDTHS[width], WIDTHS["double"]}
    assert figure.get_figheight() < 9.2
    with mpl.rc_context(STYLE):
        settle(figure)
        shown = [text for text in figure.findobj(mpl.text.Text) if text.get_text().strip()]
        assert min(text.get_fontsize() for text in shown) >= LETTER
        box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < figure.get_figwidth() + 0.02
    assert box.y0 > -0.02 and box.y1 < figure.get_figheight() + 0.02


@pytest.mark.parametrize("name", EVERY)
def test_wrong_or_empty_dataset_is_one_clear_line(name):
    function, good, source, dim = EVERY[name]
    needed = NEEDED.get(name) or next(name for name in USUAL if name in good.variables)
    for wrong in (xr.Dataset(), good.drop_vars(needed), good.isel({dim: slice(0)})):
        with pytest.raises(InputError) as caught:
            function(wrong)
        line = str(caught.value)
        assert "\n" not in line and f" {source} store" in line


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("count", [10, 25])
def test_many_variants_are_all_named_within_the_figure(name, count):
    widths = tuple(f"a rather long variant {i}" for i in range(count))
    many = {
        "comparison": widths_comparison(2, widths, widths[0]),
        "curves": widths_curves(2, widths),
    }
    figure = FIGURES[name](many[SHOWN[name].of])
    assert all(width in texts(figure) for width in widths)
    figure.draw_without_rendering()
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0


def test_no_two_of_26_variants_differ_by_colour_alone():
    shown = looks(str(i) for i in range(26)).values()
    assert len({look.marker for look in shown}) == 26


def test_strings_may_come_back_from_a_store_as_any_string_type(tmp_path: Path):
    from koopscope.artefacts import store

    known = {"transitions": "steps", "regressors": "trees"}
    for name in (
        "scan-ladder",
        "power",
        "sensitivity",
        "transitions",
        "regressors",
    ):
        _, dataset, kind, _ = EVERY[name]
        store.write(tmp_path / f"{kind}.zarr", dataset, {"kind": kind})
        back = store.read(tmp_path / f"{kind}.zarr", kind)
        assert json.loads(back.attrs["provenance"])["kind"] == kind
        for function, _, source, _ in EVERY.values():
            if source == kind:
                assert known.get(kind, "h40") in texts(function(back))
