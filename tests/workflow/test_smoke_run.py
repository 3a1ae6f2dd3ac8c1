"""The smoke study, run for real: from the bundled digits to the report, and again."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from koopscope.artefacts import store
from koopscope.config.settings import DEFAULT_COORDINATES

# What hangs on the spectra of the study of widths, and on all studies' comparisons.
RELIABILITY = {"count_errors": 1, "vary_estimate": 1}
WORDS = {"summary": 1, "report": 1, "answers": 1}
# Folders of figures of what the rule of a verdict decides.
DRAWN_ANEW = 9
DOWNSTREAM = {"compare_study": 1, "draw": 4, **WORDS} | RELIABILITY
PRUNING = {"prune_epoch": 4, "gather_pruning": 1, "draw": 1}
# Figures by the folder that they are drawn into.
STUDIED = {
    "width/comparison": ("spectra", "residuals", "distances", "verdicts"),
    "width/curves": ("training",),
    "width/sensitivity": ("sensitivity",),
    "width/error_rates": ("false_positives", "power", "metrics"),
    "optimizers/comparison": ("spectra", "residuals", "distances", "verdicts"),
    "learning_rate/scan": ("scan",),
}
WATCHED = {
    "when_to_stop/stopping": ("stopping_curves", "stopping_tradeoff", "stopping_spectra"),
    "poor_initialisations/restart": ("restart_spectra", "restart_auc", "restart_savings"),
    "layers/depth": ("depths",),
    "lighter/pruned_training": ("pruned_training",),
}
DRAWN = (
    STUDIED
    | WATCHED
    | {
        "depth/transitions": ("transitions", "layers"),
        "depth/regressors": ("regressors",),
        "early_and_late/pruning": ("overlap", "pruned_accuracy", "fixed_points", "kept_by_layer"),
        "early_lenet/early_phase": ("early_phase", "plain_markers", "all_windows"),
        "small_sums/grokking": ("grokking_accuracies", "grokking_windows", "grokking_spectra"),
        "small_sums/prediction": ("grokking_prediction",),
        "denoise/denoising": ("errors", "bands", "reconstructions", "learning", "modes"),
    }
)
FOLDERS = 21
RULES = (
    "spectrum: slow share",
    "spectrum: predicted displacement",
    "past displacement",
    "patience",
)


def trajectories(checkout, name):
    (path,) = (checkout.root / "results/trajectories").glob(f"{name}*.zarr")
    return path


def test_every_figure_table_and_text_is_there(smoke):
    for folder, figures in DRAWN.items():
        for figure in figures:
            for kind in ("png", "pdf"):
                path = smoke.root / f"results/figures/{folder}/{figure}.{kind}"
                assert path.stat().st_size > 0
    assert len(list((smoke.root / "results/figures").glob("*/*"))) == FOLDERS
    for study in ("width", "optimizers"):
        path = smoke.root / f"results/figures/{study}/comparison/verdict_table.csv"
        assert path.read_text().count("\n") > 1
    assert "## width" in (smoke.root / "results/summary.md").read_text()


def test_how_each_variant_was_fitted_is_told_all_the_way(smoke):
    for name in ("comparison", "sensitivity", "error_rates"):
        fits = json.loads(store.read(smoke.root / f"results/{name}/width.zarr").attrs["fits"])
        assert list(fits) == ["h5", "h20", "h20_synthetic", "fresh"]
        for fit in fits.values():
            assert fit["observable"] == "weights"
            assert fit["weight_coordinates"] == DEFAULT_COORDINATES
            assert (fit["delays"], fit["rank"], fit["stride"]) == (4, 6, 1)
    lines = (smoke.root / "results/summary.md").read_text().splitlines()
    written = DEFAULT_COORDINATES.replace("_", "\\_")
    for name, fit in fits.items():
        told = f"| weights | {written} | 4 | 6 | {fit['solver']} | snapshots 0 to the end | all |"
        rows = [line.removesuffix(told) for line in lines if line.endswith(told)]
        assert any(name.replace("_", "\\_") in row.strip("| ").split(", ") for row in rows)
    report = (smoke.root / "results/report.html").read_text()
    assert f"coordinates {DEFAULT_COORDINATES}, delays 4, rank 6" in report


def test_report_holds_every_figure_and_needs_no_network(smoke):
    page = (smoke.root / "results/report.html").read_text()
    assert not re.findall(r"<(?:script|img|link)[^>]+(?:src|href)=\"https?:", page)
    for folder, figures in DRAWN.items():
        for figure in figures:
            assert f"results/figures/{folder}/{figure}.png" in page


def test_captions_quote_the_numbers_of_the_run(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["studies"]
    pair = facts["width"]["pairs"][0]
    page = (smoke.root / "results/report.html").read_text()
    assert f"{pair['effect']:.3g}" in page
    assert "written into captions by" not in page and "written into this page" not in page


def test_training_reached_a_sensible_accuracy(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["studies"]["width"]
    assert facts["variants"]["h20"]["final_accuracy"]["mean"] > 0.85


def test_optimizers_have_the_published_distance(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["studies"]["optimizers"]
    assert facts["pairs"][0]["between"] == pytest.approx(0.0080732, abs=1e-6)


def test_second_run_does_nothing(smoke):
    assert "Nothing to be done" in smoke.run().stdout


def test_verify_proves_every_result(smoke):
    text = smoke.run("verify").stdout
    proved = re.search(r"(\d+) of (\d+) results hold", text)
    assert proved.group(1) == proved.group(2)
    stores = len(list((smoke.root / "results").rglob(store.SEAL)))
    # And summary.md, summary.json, answers.html, report.html.
    assert int(proved.group(2)) == stores + 4


def test_controls_alternates_and_calibration_come_to_numbers(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["studies"]
    width = facts["width"]
    assert "h20 / fresh" in [pair["name"] for pair in width["pairs"]]
    lines = {row["control"]: row for row in width["control_lines"]}
    assert list(lines) == ["recoded:rescaled", "surrogate:increments_shuffled"]
    assert all(
        row["effect"] > 0 and row["sentence"] in width["sentences"] for row in lines.values()
    )
    # Of one reference and one fit, which the studies share.
    assert facts["learning_rate"]["control_lines"][0]["seeds_second"] == 5
    assert facts["optimizers"]["control_lines"] == []
    rows = width["sensitivity"]["rows"]
    assert [row["name"] for row in rows] == ["as compared", "no delays", "all layers, projected"]
    assert len(rows[0]["cells"]) == len(width["pairs"])
    drawn = {(row["name"], row["size"]) for row in width["error_rates"]["rows"]}
    assert ("h20, split", 2) in drawn
    assert ("h20 / fresh", 4) in drawn
    # Rates per step and per learning rate: two clocks, one verdict.
    assert [c["time_unit"] for c in facts["learning_rate"]["pairs"][0]["time_units"]] == [
        "step",
        "rate",
    ]


def test_the_experiment_finds_the_layer_that_was_foretold(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["hsvr"]["depth"]
    (tones,) = [r for r in facts["layers"] if (r["signal"], r["noise"]) == ("tones", 0)]
    tapered = tones["predicted"][facts["names"].index("tapered")]
    assert abs(tapered["median"] - tones["observed"]["median"]) <= 1
    assert {row["regressor"] for row in facts["regressors"]} == {"hsvr", "hsvr-fixed", "trees"}
    # Up to the first sign that a page writes otherwise.
    assert (
        facts["answer"]["answer"].split(" (")[0] in (smoke.root / "results/report.html").read_text()
    )
    assert "## depth" in (smoke.root / "results/summary.md").read_text()


def test_pruning_came_to_numbers_and_left_no_snapshots(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["pruning"]
    early = facts["early_and_late"]
    assert early["overlaps"][0]["pair"] == "koopman_magnitude / magnitude"
    assert all(0 < cell["mean"] <= 1 for row in early["overlaps"] for cell in row["cells"])
    assert early["unpruned"][1]["mean"] > 0.8
    assert not list((smoke.root / "results/snapshots").glob("*/*"))
    (path,) = (smoke.root / "results/pruned/early_and_late").glob("2-3.zarr")
    consumed = store.read_provenance(path)["consumed"]
    (snapshots,) = consumed.values()
    assert snapshots["provenance"]["parameters"]["seed"] == 2
    assert len(snapshots["digest"]) == 64


def test_depths_and_pruning_while_training_came_to_numbers(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["monitor"]
    page = (smoke.root / "results/report.html").read_text()
    cases = {case["case"]: case for case in facts["layers"]["cases"]}
    assert list(cases) == ["digits", "tones"]
    assert cases["digits"]["observed"] == 1
    assert cases["tones"]["hsvr"]["tapered"] >= 5
    assert facts["layers"]["sentences"][0] in page
    rows = {row["method"]: row for row in facts["lighter"]["methods"]}
    assert rows["dense"]["reached"] == 2
    assert rows["koopman:structured"]["units_kept"] < 0.5
    assert rows["random"]["accuracy"]["median"] < rows["dense"]["accuracy"]["median"]
    # The windows are gone.
    assert not list((smoke.root / "results/pruned_training").glob(".partial*"))


def test_another_target_prunes_again_and_nothing_else(smoke):
    config = smoke.config("target", {"target_accuracy: 0.93": "target_accuracy: 0.9"})
    jobs = {"train_experiment": 1, "draw": 1, **WORDS}
    assert smoke.planned(config=config) == jobs


def test_questions_about_watching_training_came_to_numbers(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["monitor"]
    stopping, restart = facts["when_to_stop"], facts["poor_initialisations"]
    assert stopping["accuracy"][0] > 0.9
    assert {row["rule"] for row in stopping["rules"]} == set(RULES)
    assert all(0 <= row["saved"]["mean"] <= 10 for row in stopping["rules"])
    dead = [row["kinds"]["dead"] for row in restart["setups"]]
    assert dead == [1, 1]
    page = (smoke.root / "results/report.html").read_text()
    assert restart["sentences"][0].split(" (")[0] in page
    # The benchmark of known answers has such a table too; grokking would, were a predictor of its
    # better than chance.
    against = {path.name for path in (smoke.root / "results/tables").glob("*-against.csv")}
    asked = {*facts, "coordinates"}
    assert against == {f"{name}-against.csv" for name in asked}
    text = (smoke.root / "results/summary.md").read_text()
    (together,) = re.findall(r"## Spectrum against the plain baseline\n\n.*?(?=\n## )", text, re.S)
    assert all(f"\n| {name} |" in together for name in ("denoise", "lighter", "layers"))


def test_another_checkpoint_asks_its_question_again_and_nothing_else(smoke):
    config = smoke.config("earlier", {"checkpoints: [1, 2, 5]": "checkpoints: [1, 2]"})
    jobs = {"train_experiment_on_device": 1, "draw": 1, **WORDS}
    assert smoke.planned(config=config) == jobs


def test_another_compression_trains_with_snapshots_again_and_nothing_else(smoke):
    config = smoke.config(
        "further", {"compression_ratios: [2, 8]": "compression_ratios: [2, 4, 8]"}
    )
    jobs = {"record_epochs": 2, **PRUNING, **WORDS}
    assert smoke.planned(config=config) == jobs


def test_the_early_phase_comes_to_numbers(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["early_phase"]
    found = facts["early_lenet"]
    assert found["windows"] == ["1–20", "21–40", "41–60", "61–80"]
    assert found["accuracy"]["mean"] > 0.6 and found["diverged"] == 0
    (loss,) = [row for row in found["measures"] if row["measure"] == "loss"]
    assert loss["windows"][0]["verdict"] == "distinguished"
    assert found["sentences"][0] in (smoke.root / "results/report.html").read_text()


def test_denoising_comes_to_numbers(smoke):
    facts = json.loads((smoke.root / "results/summary.json").read_text())["sobolev"]["denoise"]
    rows = {(r["method"], r["stop"]): r["errors"] for r in facts["errors"]}
    # 20 dB, then −10.
    noisy, oracle = rows["noisy", None], rows["wiener-oracle", None]
    assert noisy[0]["median"] == pytest.approx(0.1, rel=0.3)
    assert oracle[0]["median"] < noisy[0]["median"] and oracle[1]["median"] < 1
    assert rows["s1", "final"][1]["median"] < rows["mse", "final"][1]["median"]
    assert facts["against"][0]["sentence"] in (smoke.root / "results/report.html").read_text()
    assert "## denoise" in (smoke.root / "results/summary.md").read_text()


def test_verify_refutes_a_changed_chunk(smoke, tmp_path):
    shutil.copytree(smoke.root, tmp_path / "copy", symlinks=True)
    chunk = next((tmp_path / "copy/results/trajectories").rglob("weights/c/0/0/0/0"))
    chunk.write_bytes(chunk.read_bytes()[:-1])
    done = subprocess.run(
        smoke.command("verify"), cwd=tmp_path / "copy", capture_output=True, text=True
    )
    assert done.returncode != 0
    assert f"BROKEN  {chunk.relative_to(tmp_path / 'copy').parents[5]}" in done.stdout + done.stderr


def test_a_changed_test_level_reruns_the_comparisons_alone(smoke):
    """The question of the early phase trains and compares in one job."""
    config = smoke.config("alpha", {"permutations: 199": "permutations: 299"})
    jobs = {"compare_study": 3, "draw": DRAWN_ANEW, **WORDS, **RELIABILITY}
    assert smoke.planned(config=config) == jobs | {"train_experiment_on_device": 2}


def test_a_changed_learning_rate_reruns_its_own_variant_alone(smoke):
    """Its spectra are estimated in two other ways besides."""
    config = smoke.config(
        "rate", {"h5: {hidden_widths: [5]}": "h5: {hidden_widths: [5], learning_rate: 0.2}"}
    )
    jobs = smoke.planned(config=config)
    assert jobs == {"train_network": 1, "fit_spectra": 3, "collect_curves": 1, **DOWNSTREAM}


def test_a_changed_fit_trains_nothing(smoke):
    config = smoke.config(
        "rank", {"h5: {hidden_widths: [5]}": "h5: {hidden_widths: [5], fit: {rank: 5}}"}
    )
    jobs = smoke.planned(config=config)
    assert jobs == {"fit_spectra": 3, "collect_curves": 1, **DOWNSTREAM}


def test_another_level_of_noise_reruns_the_experiment_alone(smoke):
    config = smoke.config("noise", {"noise: [0, 0.1]": "noise: [0, 0.2]"})
    jobs = {"run_experiment": 2, "draw": 2, **WORDS}
    assert smoke.planned(config=config) == jobs


CHANGED = {
    # Depth, early phases, grokking and the benchmark of known answers compare by the same verdict.
    "compare/verdict.py": RELIABILITY
    | {"compare_study": 3, "train_experiment": 2, "draw": 2 + DRAWN_ANEW, **WORDS}
    | {"train_experiment_on_device": 2},
    "experiments/hsvr/summary.py": WORDS,
    "experiments/hsvr/figures.py": {"draw": 2, "report": 1, "answers": 1},
    "experiments/hsvr/captions/layers.rst": {"report": 1},
    "experiments/hsvr/answer.py": WORDS,
    "experiments/answers_page.py": {"answers": 1},
    # Of the three studies of the smoke run.
    "report/hover.html": {"draw": 3, "report": 1, "answers": 1},
    "experiments/stopping/run.py": {"train_experiment_on_device": 1, "draw": 1, **WORDS},
    "config/refusals.py": {},
    "experiments/equivalence/plan.py": {},
    "monitor/monitor.py": {},
    "__init__.py": {},
}


@pytest.mark.parametrize("path", CHANGED)
def test_changed_code_reruns_what_reaches_it(smoke, path):
    source = smoke.root / "src/koopscope" / path
    text = source.read_text()
    mark = "changed = True" if source.suffix == ".py" else "Changed."
    try:
        source.write_text(f"{text}\n{mark}\n")
        jobs = smoke.planned()
    finally:
        source.write_text(text)
    assert jobs == CHANGED[path]
    assert not smoke.planned()


def test_a_comment_and_a_docstring_rerun_nothing(smoke):
    source = smoke.root / "src/koopscope/training/ensemble.py"
    text = source.read_text()
    try:
        source.write_text(text.replace('"""', '"""In other words: ', 1) + "\n# And a remark.\n")
        assert not smoke.planned()
    finally:
        source.write_text(text)


@pytest.mark.parametrize(
    ("stage", "workers"),
    [
        ("train", {"train_network": 5, "run_optimizer": 3}),
        ("spectra", {"fit_spectra": 18}),
        ("distances", {"compare_study": 3, **RELIABILITY}),
        ("known_answers", {"train_experiment": 1, "draw": 1}),
        ("early_phase", {"train_experiment_on_device": 1, "draw": 1}),
        ("hsvr", {"run_experiment": 2, "draw": 2}),
        ("pruning", {"record_epochs": 2, **PRUNING}),
        ("monitor", {"train_experiment": 2, "train_experiment_on_device": 2, "draw": 4}),
        ("sobolev", {"train_experiment_on_device": 1, "draw": 1}),
        ("figures", {"draw": FOLDERS}),
        ("report", {"report": 1}),
    ],
)
def test_forcing_a_stage_runs_it_again(smoke, stage, workers):
    jobs = smoke.planned("--forcerun", stage)
    assert {rule: jobs[rule] for rule in workers} == workers
    earlier = {"train": ["prepare_data"], "spectra": ["train_network"], "report": ["draw"]}
    earlier |= {"figures": ["compare_study"], "hsvr": ["train_experiment"]}
    assert not any(jobs[rule] for rule in earlier.get(stage, []))


def test_the_same_run_gives_the_same_bytes(smoke):
    path = trajectories(smoke, "mlp-h5")
    before = store.sealed_digest(path)
    smoke.run("--forcerun", "train_network", "--", str(path.relative_to(smoke.root)))
    assert store.sealed_digest(path) == before


def test_a_failed_rerun_leaves_the_old_result(smoke):
    path = trajectories(smoke, "mlp-h20-sgd-lr0.2-b60-relu-digits")
    before = store.sealed_digest(path)
    config = smoke.config(
        "device", {"training: {threads: 1}": "training: {threads: 1, device: cuda:7}"}
    )
    target = str(path.relative_to(smoke.root))
    done = smoke.run("--forcerun", "train_network", "--", target, config=config, check=False)
    assert done.returncode != 0
    assert "Error: device: 'cuda:7' cannot be used" in done.stdout
    assert store.sealed_digest(path) == before
    store.check(path)


def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(another, smoke):
    long = {"steps: 120": "steps: 800"}
    config = another.config("long", long)
    target = next(x for x in plan_of(another, config) if "mlp-h20-sgd-lr0.1-b60-relu-digits" in x)
    process = subprocess.Popen(
        another.command("--", target, config=config),
        cwd=another.root,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = (another.root / target).parent
    deadline = time.monotonic() + 120
    while not list(folder.glob(f"{store.PARTIAL}*/weights/c/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(folder.glob(f"{store.PARTIAL}*")), "the run was not stopped half-way"
    assert not (another.root / target).exists()
    another.run("--", target, config=config)

    undisturbed = smoke.config("long", long)
    smoke.run("--", target, config=undisturbed)
    assert store.sealed_digest(another.root / target) == store.sealed_digest(smoke.root / target)
    assert not list(folder.glob(f"{store.PARTIAL}*"))


def plan_of(checkout, config):
    """Outputs that a dry run would make."""
    text = checkout.run("-n", config=config).stdout
    return re.findall(r"(results/trajectories/\S+?\.zarr)", text)
