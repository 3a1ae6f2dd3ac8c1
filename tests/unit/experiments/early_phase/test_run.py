"""Runs that change at a known step, and runs that never do."""

import re

import numpy as np
import pytest
from fixtures.early_phase import LAYERS, changing, compared, decaying, early_phase_store, plan_of

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE
from koopscope.config.data import DataSpec
from koopscope.config.models import ModelSetup
from koopscope.config.settings import Comparing
from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.experiments.early_phase.answer import answer
from koopscope.experiments.early_phase.comparing import of_numbers
from koopscope.experiments.early_phase.markers import markers, window_means
from koopscope.experiments.early_phase.names import ALL, ANGLE, MARKERS, UNEVEN
from koopscope.experiments.early_phase.parts import Part, parts_of
from koopscope.experiments.early_phase.plan import EarlyPhase, Windows
from koopscope.experiments.early_phase.run import run
from koopscope.experiments.early_phase.spectra import of_windows, per_step, slices, whole
from koopscope.experiments.early_phase.summary import facts, text
from koopscope.experiments.means import Means
from koopscope.training.architectures import build
from koopscope.training.modules import ModuleEnsemble


def of(found, measure=ALL):
    return found.sel(measure=measure)


@pytest.mark.parametrize("at", [30, 60])
def test_a_rate_that_changes_at_a_known_step_ends_the_early_phase_there(at):
    found = early_phase_store(at)
    for measure in (ALL, *LAYERS, f"{ALL}, raw"):
        one = of(found, measure)
        assert one["outcome"].item() == "ends"
        assert found["start"].values[int(one["end"])] == at
        assert one["end_low"] <= one["end"] <= one["end_high"]
        before = one["verdict"].values[: int(one["end"])]
        assert (before == DISTINGUISHED).all()


def test_a_rate_that_changes_before_the_last_window_alone_is_not_over():
    one = of(early_phase_store(120))
    assert one["outcome"].item() == "not over"


def test_runs_that_never_change_have_no_early_phase():
    plan = plan_of(40, how=Comparing(permutations=199, bootstrap=200, smallest_effect=1.2))
    one = of(compared(plan, changing(plan, 0)))
    assert one["outcome"].item() == "none seen"
    assert one["end"] == 0
    assert abs(one["effect"].values - 1).max() < 0.15


def test_a_null_is_seldom_called_an_early_phase():
    """Over many draws of runs that never change."""
    plan = plan_of(10, count=4, controls=(), other_coordinates=(), layers=())
    outcomes = []
    for seed in range(12):
        weights = decaying(10, plan.model.states, 0.8, seed=seed)
        outcomes.append(of(compared(plan, weights))["outcome"].item())
    assert outcomes.count("ends") + outcomes.count("not over") <= 1


def test_effects_are_those_of_the_seeds_and_not_of_twins():
    """Runs that stand still in law and nearly in fact: twins alike would lower the effect."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=12)[None] + 1e-6 * rng.normal(size=(4, 12))
    distances = of_numbers(means)
    local = distances.between(0, 3, distances.kept())
    between = local[:12, 12:]
    others = between[~np.eye(12, dtype=bool)].mean()
    assert np.diag(between) == pytest.approx(others)


def test_a_run_without_a_spectrum_in_some_window_is_left_out_of_all():
    plan = plan_of()
    weights = changing(plan, 60)
    whole_runs = compared(plan_of(14), weights[:14])
    weights[14, 100:] = np.nan
    weights[15, 30:60] = 1.0
    found = compared(plan, weights)
    assert (found["kept"].sel(measure=ALL) == 14) and np.isfinite(of(found)["effect"]).all()
    for name in ("effect", "end", "matrix"):
        assert np.allclose(of(found)[name], of(whole_runs)[name])
    # What stands still has a loss all the same.
    assert found["kept"].sel(measure="gradient length") == 16


def test_too_few_runs_make_it_inconclusive_with_a_reason():
    plan = plan_of()
    weights = changing(plan, 60)
    weights[3:, 100:] = np.nan
    one = of(compared(plan, weights))
    assert one["outcome"].item() == INCONCLUSIVE and "not known" in one["reason"].item()


def test_a_recoding_is_not_told_apart_and_its_bound_may_be_the_margin():
    how = Comparing(permutations=199, bootstrap=200, smallest_effect="measured")
    plan = plan_of(how=how, controls=("recoded:warped", "surrogate:autoregressive"))
    found = compared(plan, changing(plan, 60))
    lines = found.sel(part=ALL).isel(controlled=-1)
    assert lines["control_verdict"].values[0] != DISTINGUISHED
    high = float(lines["control_high"][0])
    assert float(of(found)["margin"]) == pytest.approx(max(1, high), abs=1e-3)
    assert of(found)["margin"] == of(found, ANGLE)["margin"]


def test_a_surrogate_of_what_turns_is_told_apart():
    plan = plan_of(12, other_coordinates=())
    rng = np.random.default_rng(3)
    steps = np.arange(plan.model.states)
    phases_of = rng.uniform(0, 2 * np.pi, (12, 1, 12))
    turning = np.sin(0.7 * steps[None, :, None] + phases_of)
    turning += 0.05 * rng.normal(size=turning.shape)
    found = compared(plan, turning).sel(part=ALL).isel(controlled=-1)
    assert found["control_verdict"].values.tolist()[1] == DISTINGUISHED
    assert found["expected"].values.tolist() == ["equivalent", "different"]


def test_eigenvalues_of_a_stride_are_brought_to_one_step():
    windows = Windows(30, 3, "geometric")
    plan = plan_of(6, windows=windows, delays=0, rank=2, layers=(), controls=())
    assert plan.strides == (1, 1, 2)
    rate = 0.97 * np.exp(0.2j)
    turning = rate ** np.arange(plan.model.states)
    weights = np.tile(np.stack([turning.real, turning.imag], axis=1), (6, 1, 1))
    found = of_windows(weights, plan, Part(np.arange(2), "raw")).eigenvalues
    for window in found[:, 0]:
        assert np.allclose(sorted(window, key=np.imag), [rate.conjugate(), rate], atol=1e-6)
    assert per_step(np.array([0.81]), 2).real == pytest.approx([0.9])


def test_windows_read_the_snapshots_after_their_first_step_to_their_last():
    plan = plan_of(6, windows=Windows(edges=(0, 20, 40, 80)))
    steps = np.arange(1, plan.model.states + 1)
    assert [steps[s][[0, -1]].tolist() for s in slices(plan)] == [[1, 20], [21, 40], [42, 80]]
    assert [steps[s][[0, -1]].tolist() for s in whole(plan)] == [[1, 20], [21, 40], [41, 80]]
    assert {len(steps[s]) for s in slices(plan)} == {20}


def test_markers_of_a_straight_run_have_no_angle_and_grow_by_its_speed():
    steps = np.arange(10.0)
    weights = np.stack([steps, 2 * steps], axis=1)[None]
    found = markers(weights, np.ones((1, 10)), np.ones((1, 10)))
    assert found[ANGLE][0, 2:] == pytest.approx(0, abs=1e-5)
    assert found["distance from the start"][0] == pytest.approx(np.sqrt(5) * steps)
    assert set(found) == set(MARKERS)
    means = window_means(found["distance from the start"], [slice(0, 5), slice(5, 10)])
    assert means[:, 0] == pytest.approx(np.sqrt(5) * np.array([2, 7]))


def setup_of(**changes):
    fields = {
        "architecture": "mlp",
        "options": {"hidden_widths": [6]},
        "observable": ("*.weight",),
        "sketch": 20,
        "seeds": (1, 2, 3, 4, 5, 6),
        "steps": 45,
        "evaluate_every": 45,
    }
    return ModelSetup(DataSpec("digits", "digits"), **fields | changes)


def test_parts_are_the_places_of_their_layers_in_a_snapshot():
    setup = setup_of()
    plan = EarlyPhase("one", "?", setup, Windows(15, 3), ("output.*",), delays=2, rank=3)
    found = parts_of(plan)
    assert list(found) == [ALL, "output.*", f"{ALL}, raw"]
    ensemble = ModuleEnsemble(setup, (1,), "cpu")
    snapshot = ensemble.snapshot()[0, 0]
    assert len(found[ALL].columns) == len(snapshot) == 40
    output = build(setup_of(sketch=0), 1).output.weight.numel()
    assert len(found["output.*"].columns) == min(20, output)
    only = ModuleEnsemble(setup_of(observable=("output.weight",)), (1,), "cpu")
    assert snapshot[found["output.*"].columns].equal(only.snapshot()[0, 0])


def test_networks_are_trained_compared_and_told_of():
    progress = []
    plan = EarlyPhase(
        "one", "?", setup_of(), Windows(15, 3), ("output.weight",), delays=2, rank=3,
        compare=Comparing(permutations=99, bootstrap=100),
    )  # fmt: skip
    found = run(plan, [digits.load()], Means("cpu", 1, progress=progress.append))
    assert sum(progress) == 6 * 45 == plan.work("early_phase")[0]
    assert found.sizes["measure"] == 3 + len(MARKERS) and found["diverged"] == 0
    assert np.isfinite(found["effect"].sel(measure=ALL)).all()
    assert found["accuracy"].values.min() > 0.1
    losses = found["curve"].sel(marker="loss")
    assert losses.isel(snapshot=-1).mean() < losses.isel(snapshot=0).mean()
    again = run(plan, [digits.load()], Means("cpu", 1))
    assert again.identical(found)


def test_a_layer_that_a_module_of_ones_own_has_not_is_refused_before_training():
    setup = setup_of(
        architecture=None,
        module="fixtures.user_modules:small",
        options={},
        observable=("all",),
    )
    plan = EarlyPhase("one", "?", setup, Windows(15, 3), ("conv1.weight",), delays=2, rank=3)
    with pytest.raises(InputError, match="layers: conv1.weight is no recorded parameter; give so"):
        parts_of(plan)


@pytest.mark.parametrize("windows", [Windows(30, 3, "geometric"), Windows(edges=(0, 60, 90, 120))])
def test_of_windows_of_several_lengths_no_end_is_said(windows):
    plan = plan_of(12, windows=windows, layers=(), controls=())
    found = compared(plan, changing(plan, at=60))
    assert set(found["outcome"].values.tolist()) == {INCONCLUSIVE}
    assert found["end"].isnull().all() and found["effect"].notnull().any()
    given = facts({"early_phase": found.assign(accuracy=("member", [0.9] * 12), diverged=0)})
    said = answer(given)
    assert said.answer == f"Inconclusive: {UNEVEN}." and len(said.answer.split()) <= 36
    assert UNEVEN in " ".join(given["sentences"])
    assert not re.search(r"ends at step \d|over by", text(given))
