"""From runs to an answer: known systems, what is said of them, and what is refused."""

import json
import re

import numpy as np
import pytest
import xarray as xr

from koopscope.artefacts.seals import partial_of
from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.errors import InputError
from koopscope.own_runs.compare import compare_runs
from koopscope.recording.recorder import Recorder

SLOW, FAST = (0.99, 0.95, 0.9, 0.8, 0.6), (0.97, 0.9, 0.8, 0.6, 0.3)


def run(rates, seed, steps=80, noise=1e-4, features=6):
    """A run that decays at these rates, in directions of its own, with noise."""
    rng = np.random.default_rng(seed)
    modes = np.array(rates) ** np.arange(steps)[:, None]
    turned = modes @ rng.normal(1, 0.2, (len(rates), features))
    return turned + noise * rng.normal(size=(steps, features))


def runs(rates, first=0, count=6, **more):
    return [run(rates, first + seed, **more) for seed in range(count)]


def record(folder, rates, first=0, count=6, **choices):
    """Runs on disk, with the loss beside the weights."""
    for seed in range(count):
        values = run(rates, first + seed)
        with Recorder({"w": values[0]}, folder / str(seed), seed=first + seed, **choices) as to:
            for state in values[1:]:
                to.snapshot({"w": state})
                to.log(loss=np.sum(state**2))
    return folder


@pytest.fixture(scope="module")
def found():
    return compare_runs({"slow": runs(SLOW), "fast": runs(FAST, 100), "again": runs(SLOW, 200)})


def test_known_systems_are_told_apart_and_alike_ones_are_not(found):
    verdicts = found.verdicts
    assert verdicts["slow / fast"] == verdicts["fast / again"] == DISTINGUISHED
    assert verdicts["slow / again"] in (NOT_DISTINGUISHED, INCONCLUSIVE)


def test_the_first_line_is_the_answer_and_all_else_stands_below(found):
    said = str(found)
    first, *_ = said.splitlines()
    assert re.match(
        r"slow / fast: distinguished(, but fragile: .*)?; effect \S+ \[\S+, \S+\]", first
    )
    assert "6 and 6 seeds" in first
    for part in (
        "Moved most: λ ≈ ",
        "Compared: weights (all that was recorded), 6 numbers a snapshot; steps 1 to 80, each",
        "Fitted: per_step coordinates, delays 4, rank",
        "fewer delays",
        "second half",
        "equal spectra are necessary for conjugate training, not sufficient",
    ):
        assert part in said
    needed = next(row for row in found.facts["pairs"] if row["name"] == "slow / again")
    if needed["verdict"] == INCONCLUSIVE:
        assert "What would settle it" in said and "smallest p that these seeds can reach" in said


def test_facts_are_plain_values(found):
    facts = json.loads(json.dumps(found.facts))
    assert facts["fitted"]["delays"] == 4
    assert len(facts["pairs"]) == 3 and len(facts["sensitivity"]["rows"]) >= 5
    assert len(facts["provenance"]["inputs"]) == 18


def test_the_same_runs_give_the_same_bytes_however_they_come(tmp_path):
    kept = {}
    for name, rates, first in (("slow", SLOW, 0), ("fast", FAST, 100)):
        record(tmp_path / name, rates, first, dtype="float64")
        kept[name] = [run(rates, first + seed)[1:] for seed in range(6)]
    recorded = compare_runs({name: tmp_path / name / "*" for name in kept})
    in_memory = compare_runs(kept)
    for name in ("eigenvalue", "distance", "effect", "p_value"):
        np.testing.assert_array_equal(recorded.comparison[name], in_memory.comparison[name])
    assert list(recorded.comparison["seed"].values) == [*range(6), *range(100, 106)]


def test_side_by_side_runs_of_one_store_are_a_group(tmp_path):
    states = np.stack(runs(SLOW), axis=0)
    with Recorder({"w": states[:, 0]}, tmp_path / "all", seeds=range(6), dtype="float64") as to:
        for step in range(1, 80):
            to.snapshot({"w": states[:, step]})
    found = compare_runs(
        {"slow": tmp_path / "all", "fast": [run(FAST, 100 + s)[1:] for s in range(6)]},
        sensitivity=False,
    )
    assert found.verdicts == {"slow / fast": DISTINGUISHED}
    assert found.sensitivity is None and "fewer delays" not in str(found)


def test_logged_numbers_take_the_place_of_weights(tmp_path):
    for name, rates, first in (("slow", SLOW, 0), ("fast", FAST, 100)):
        record(tmp_path / name, rates, first)
    found = compare_runs({n: f"{tmp_path}/{n}/*" for n in ("slow", "fast")}, columns=["loss"])
    assert "Compared: logged loss" in str(found)
    assert found.verdicts["slow / fast"] == DISTINGUISHED


def test_windows_and_layers_are_corrected_together(tmp_path):
    for name, rates, first in (("slow", SLOW, 0), ("fast", FAST, 100)):
        for seed in range(6):
            one, two = run(rates, first + seed), run(SLOW, 7 * first + seed + 1000)
            path = tmp_path / name / str(seed)
            with Recorder({"a": {"w": one[0]}, "b": {"w": two[0]}}, path) as to:
                for x, y in zip(one[1:], two[1:], strict=True):
                    to.snapshot({"a": {"w": x}, "b": {"w": y}})
    groups = {name: f"{tmp_path}/{name}/*" for name in ("slow", "fast")}
    found = compare_runs(groups, windows=39, by="layer", sensitivity=False)
    names = list(found.parts["part"].values)
    assert names == [f"steps {a}, layer {b}" for a in ("1 to 39", "40 to 78") for b in "ab"]
    of = dict(zip(names, found.parts["verdict"].values[:, 0], strict=True))
    assert of["steps 1 to 39, layer a"] == DISTINGUISHED
    assert of["steps 1 to 39, layer b"] != DISTINGUISHED
    assert (found.parts["p_adjusted"].values >= found.parts["p_value"].values).all()
    assert found.parts.attrs["tests"] == 4
    assert "p corrected over all 4 tests together" in str(found)
    alone = compare_runs(groups, layers=["b"])
    assert "weights (b), 6 numbers" in str(alone)
    assert any(
        "layer a alone" in str(n) for n in compare_runs(groups).sensitivity["alternate"].values
    )


def test_a_verdict_that_other_ways_overturn_is_fragile():
    """Alike in the first half, and another system in the second."""

    def changed(rates, first):
        made = []
        for seed in range(6):
            start = run(SLOW, first + seed, steps=60)
            made.append(
                np.concatenate([start, start[-1:] + run(rates, first + seed + 50, steps=60)])
            )
        return made

    found = compare_runs({"a": changed(SLOW, 0), "b": changed((0.5, 0.2, 0.1), 200)})
    (row,) = found.facts["pairs"]
    words = {r["name"]: r["cells"][0]["verdict"] for r in found.facts["sensitivity"]["rows"]}
    assert words["second half"] == DISTINGUISHED != words["first half"]
    if row["verdict"] != INCONCLUSIVE:
        assert "fragile" in str(found).splitlines()[0]
        assert row["fragile"]


def test_a_run_that_is_not_finite_is_used_up_to_there_and_said_so():
    slow = runs(SLOW)
    slow[2] = slow[2].copy()
    slow[2][50:] = np.nan
    found = compare_runs({"slow": slow, "fast": runs(FAST, 100)})
    note = "slow[2] (slow) is not finite from step 51 on: used up to there, 50 of 80 snapshots."
    assert note in str(found)
    assert found.verdicts["slow / fast"] == DISTINGUISHED


def test_shared_seeds_are_said(tmp_path):
    record(tmp_path / "slow", SLOW, 0)
    record(tmp_path / "fast", FAST, 3)
    found = compare_runs({n: f"{tmp_path}/{n}/*" for n in ("slow", "fast")}, sensitivity=False)
    assert "slow and fast share 3 seeds" in str(found)


def test_few_seeds_are_told_how_many_would_do():
    found = compare_runs({"slow": runs(SLOW, count=3), "fast": runs(FAST, 100, count=3)})
    said = str(found)
    assert "inconclusive" in said.splitlines()[0]
    assert "too few seeds or permutations: p is at least 0.1, above 0.05" in said
    assert re.search(r"about \d+ seeds of each would probably settle it", said)


def test_all_is_saved_with_its_versions(found, tmp_path):
    found.save(tmp_path / "kept")
    kept = xr.open_zarr(tmp_path / "kept" / "comparison.zarr", consolidated=False)
    np.testing.assert_array_equal(kept["effect"], found.comparison["effect"])
    provenance = json.loads((tmp_path / "kept/comparison.zarr/provenance.json").read_text())
    assert provenance["inputs"] == found.provenance["inputs"]
    assert provenance["parameters"]["fit"]["delays"] == 4


REFUSED = {
    "one group": ({"a": runs(SLOW)}, {}, "^groups: give a mapping of two names"),
    "one seed": ({"a": runs(SLOW, count=1), "b": runs(FAST)}, {}, "^a: 1 run; give at least 2"),
    "no run": (
        {"a": "nowhere/*", "b": runs(FAST)},
        {},
        r"^a: runs: nothing is called nowhere/\*; the folder",
    ),
    "lengths": (
        {"a": runs(SLOW), "b": runs(FAST, 9, steps=60)},
        {},
        r"^b\[0\]: 60 snapshots, but a\[0\] has 80; give end=60",
    ),
    "numbers": (
        {"a": runs(SLOW), "b": runs(FAST, 9, features=7)},
        {},
        r"^b\[0\]: 7 numbers a snapshot, but a\[0\] has 6; record both by a sketch",
    ),
    "twice": (
        {"a": runs(SLOW), "b": runs(SLOW)},
        {},
        r"^b\[0\]: the same run as a\[0\]; give each run once",
    ),
    "constant": (
        {"a": [np.ones((80, 6))] * 2, "b": runs(FAST)},
        {},
        r"^a\[0\]: what is compared never changes",
    ),
    "short": ({"a": runs(SLOW, steps=5), "b": runs(FAST)}, {}, r"^a\[0\]: 5 finite snapshots"),
    "level": ({"a": runs(SLOW), "b": runs(FAST)}, {"alpha": 2}, "^alpha: 2 is not a"),
    "distance": (
        {"a": runs(SLOW), "b": runs(FAST)},
        {"distance": "energy"},
        "^distance: unknown 'energy'; give one of wasserstein",
    ),
    "by": ({"a": runs(SLOW), "b": runs(FAST, 9)}, {"by": "block"}, "^by: 'block'; give 'layer'"),
    "windows": (
        {"a": runs(SLOW), "b": runs(FAST, 9)},
        {"windows": 200},
        "^windows: 200; give a whole number from 10 to 80",
    ),
    "rank": ({"a": runs(SLOW), "b": runs(FAST, 9)}, {"rank": 500}, "rank: 500 is"),
}


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
def test_what_cannot_be_compared_is_refused_in_one_line(case):
    groups, choices, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as refused:
        compare_runs(groups, **choices)
    assert "\n" not in str(refused.value)


def test_a_run_that_is_being_written_is_refused(tmp_path):
    record(tmp_path / "slow", SLOW)
    (tmp_path / "slow" / "3").rename(partial_of(tmp_path / "slow" / "3"))
    with pytest.raises(InputError, match="^slow: runs: .* is being written or was cut short: wait"):
        compare_runs({"slow": f"{tmp_path}/slow/*", "fast": runs(FAST, 100)})


def test_spacing_that_differs_is_refused(tmp_path):
    record(tmp_path / "slow", SLOW)
    record(tmp_path / "fast", FAST, 100, every=2)
    with pytest.raises(InputError, match="a snapshot every 2 steps, but .* has one every 1"):
        compare_runs({n: f"{tmp_path}/{n}/*" for n in ("slow", "fast")})
    groups = {n: f"{tmp_path}/{n}/*" for n in ("slow", "fast")}
    assert compare_runs(groups, every=2, sensitivity=False).verdicts["slow / fast"] == DISTINGUISHED


def test_names_with_spaces_and_other_letters_are_as_good(tmp_path):
    folder = tmp_path / "läufe [1] mit raum"
    record(folder / "langsam", SLOW)
    paths = [folder / "langsam" / str(seed) for seed in range(6)]
    found = compare_runs({"größer *": paths, "fast": runs(FAST, 100, steps=79)}, sensitivity=False)
    assert found.verdicts == {"größer * / fast": DISTINGUISHED}


def network(folder, widths, first, **choices):
    """Runs of a network of these widths, whose weights decay."""
    for seed in range(5):
        rng = np.random.default_rng(first + seed)
        start = {f"w{i}": rng.normal(1, 0.1, (4, width)) for i, width in enumerate(widths)}
        with Recorder(start, folder / str(seed), seed=first + seed, **choices) as to:
            for step in range(40):
                rates = (0.99, 0.9)
                noise = 1e-4 * rng.normal()
                to.snapshot(
                    {
                        n: v * rate**step + noise
                        for (n, v), rate in zip(start.items(), rates, strict=True)
                    }
                )


def test_architectures_are_compared_by_sketches_of_one_size_and_that_is_said(tmp_path):
    network(tmp_path / "narrow", (30, 40), 0, projection=16)
    network(tmp_path / "wide", (60, 80), 100, projection=16)
    network(tmp_path / "whole", (30, 40), 200)
    network(tmp_path / "other", (30, 40), 300, projection=16, projection_seed=1)
    groups = {name: f"{tmp_path}/{name}/*" for name in ("narrow", "wide", "whole", "other")}

    def compared(*names):
        return compare_runs({name: groups[name] for name in names}, sensitivity=False)

    said = str(compared("narrow", "wide"))
    assert "Compared: sketch (all that was recorded), 32 numbers a snapshot" in said
    assert "Note: The groups are of different architectures" in said
    with pytest.raises(InputError, match=r"weights, but .* has sketch \(seed 0, size 16\)"):
        compared("narrow", "whole")
    with pytest.raises(InputError, match=r"sketch \(seed 1, size 16\), but"):
        compared("narrow", "other")
    network(tmp_path / "larger", (60, 80), 400)
    with pytest.raises(
        InputError, match="560 numbers a snapshot, but .* has 280; record both by a"
    ):
        compare_runs({"whole": groups["whole"], "larger": f"{tmp_path}/larger/*"})


def test_p_of_parts_is_corrected_after_holm_over_all_of_them():
    groups = {"slow": runs(SLOW), "fast": runs(FAST, 100), "again": runs(SLOW, 200)}
    found = compare_runs(groups, windows=39, sensitivity=False)
    raw = found.parts["p_value"].values.ravel()
    assert len(raw) == 2 * 3
    least, expected = 0.0, np.empty(6)
    for factor, at in zip(range(6, 0, -1), np.argsort(raw, kind="stable"), strict=True):
        least = expected[at] = max(least, min(1, factor * raw[at]))
    np.testing.assert_allclose(found.parts["p_adjusted"].values.ravel(), expected)
    assert (expected > raw).sum() >= 3


def test_the_seeds_foreseen_reckon_with_the_correction_over_all_pairs():
    # Of three groups of four the smallest p is 2/70, three times that is above the level.
    groups = {"slow": runs(SLOW, count=4), "fast": runs(FAST, 100, 4), "again": runs(SLOW, 200, 4)}
    found = compare_runs(groups, sensitivity=False)
    needed = {row["name"]: row["needed"] for row in found.facts["pairs"]}["slow / fast"]
    assert needed["seeds"] >= 5 and "p can then reach 0.024" in needed["reason"]
    alone = compare_runs(groups, sensitivity=False, correction="none")
    assert {row["name"]: row["needed"] for row in alone.facts["pairs"]}["slow / fast"] is None
