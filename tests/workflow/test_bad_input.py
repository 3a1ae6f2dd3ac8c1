"""What a user may get wrong ends in one line that names the key, the value and the remedy."""

import os
import subprocess
import sys

import pytest

VARIANTS = """    variants:
      h5: {hidden_widths: [5]}
      h20: {}
      h20_synthetic: {data: synthetic}
"""
WRONG = {
    "a misspelt key": (
        {"hidden_widths: [20]": "hiden_widths: [20]"},
        ["hiden_widths", "hidden_widths"],
    ),
    "a misspelt section": ({"compare:": "comparre:"}, ["comparre", "compare"]),
    "a wrong type": ({"steps: 120": "steps: many"}, ["steps", "many", "number of batches"]),
    "a negative width": (
        {"hidden_widths: [5]": "hidden_widths: [-5]"},
        ["h5.hidden_widths", "-5", "at least 1", "default [40]"],
    ),
    "more delays than steps": (
        {"rank: 6, delays: 4": "rank: 6, delays: 200"},
        ["delays", "200", "at most 118"],
    ),
    "a rank above the data": (
        {"hidden_widths: [5]}": "hidden_widths: [5], fit: {rank: 400}}"},
        ["variants.h5", "rank", "400", "at most 250"],
    ),
    "no seeds": ({"seeds: [1, 2, 3, 4, 5]": "seeds: []"}, ["seeds: none", "at least 1"]),
    "a seed twice": ({"seeds: [1, 2, 3, 4, 5]": "seeds: [1, 1]"}, ["seeds", "1", "once"]),
    "too few seeds for a test": (
        {"seeds: [1, 2, 3, 4, 5]": "seeds: [1, 2, 3]"},
        ["studies.width.pairs: h5 / h20", "3 and 3 seeds", "smallest p reachable", "0.3", "alpha"],
    ),
    "an unknown base": ({"base: small": "base: smal"}, ["studies.width.base", "smal", "small"]),
    "a factor of no field": (
        {"factors: {learning_rate:": "factors: {learning_rat:"},
        ["studies.learning_rate.factors.learning_rat", "did you mean 'learning_rate'"],
    ),
    "one setup on both sides": (
        {"h5: {hidden_widths: [5]}": "h5: {hidden_widths: [20]}"},
        ["studies.width.pairs: h5 / h20", "both sides are mlp-h20", "expected: equivalent"],
    ),
    "an observable that is not recorded": (
        {"sketch: 4": "sketch: 0"},
        ["sensitivity.all layers, projected", "'sketch' is not recorded"],
    ),
    "a checkpoint after the end": (
        {"checkpoints: [1, 2, 5]": "checkpoints: [1, 2, 50]"},
        ["monitor.poor_initialisations.checkpoints", "[1, 2, 50]", "epochs from 1 to 7"],
    ),
    "a question of no kind": (
        {"kind: restart": "kind: sometimes"},
        ["monitor.poor_initialisations.kind", "sometimes", "stopping, restart"],
    ),
    "a distance of no name": (
        {"compare: {": "compare: {distance: wasserstien, "},
        ["compare.distance", "wasserstien", "wasserstein, residual_weighted"],
    ),
    "an old key": (
        {"hidden_widths: [5]": "hidden: [5]"},
        ["h5.hidden", "called hidden_widths now"],
    ),
    "one study name twice": ({"  optimizers:": "  width:"}, ["'width' stands twice"]),
    "an unknown data set": (
        {"data: digits\n": "data: digitz\n"},
        ["digitz", "digits, synthetic"],
    ),
    "an unknown activation": (
        {"hidden_widths: [5]}": "hidden_widths: [5], activation: rellu}"},
        ["activation", "rellu", "relu, gelu"],
    ),
    "an unknown kind of data": (
        {"kind: digits": "kind: numbers"},
        ["data.digits.kind", "numbers", "mnist"],
    ),
    "an unknown solver": (
        {"rank: 6, delays": "solver: fast, delays"},
        ["solver", "fast", "lanczos"],
    ),
    "an unknown variant in a pair": ({"first: h5": "first: h6"}, ["pairs[0]", "h6", "h5, h20"]),
    "an unknown layer": (
        {"hidden_widths: [5]}": "hidden_widths: [5], observable: [hidden2]}"},
        ["observable", "hidden2", "hidden1"],
    ),
    "an unknown signal": (
        {"tones-2d: 31": "tones-3d: 31"},
        ["hsvr.depth.signals", "tones-3d", "tones-2d"],
    ),
    "a misspelt key of an experiment": (
        {"noise: [0, 0.1]": "noises: [0, 0.1]"},
        ["hsvr.depth.noises", "did you mean 'noise'"],
    ),
    "an unknown way to prune": (
        {"finetuned: [koopman_magnitude]": "finetuned: [koopman]"},
        ["pruning.early_and_late.finetuned", "'koopman'", "koopman_magnitude, magnitude, random"],
    ),
    "a compression that leaves nothing": (
        {"compression_ratios: [2, 8]": "compression_ratios: [2, 8, 1000]"},
        ["pruning.early_and_late.compression_ratios", "1000", "mnistnet", "at most 738"],
    ),
    "a depth twice": (
        {"depths: [1, 2, 3]": "depths: [1, 2, 2]"},
        ["monitor.layers.depths", "2 stands twice"],
    ),
    "a target in per cent": (
        {"target_accuracy: 0.93": "target_accuracy: 93"},
        ["monitor.lighter.target_accuracy", "93 is not a number above 0 and below 1"],
    ),
    "an unknown loss": (
        {"losses: [mse, s1, linear2]": "losses: [mse, huber]"},
        ["sobolev.denoise.losses", "'huber'", "give mse, or one of s, linear"],
    ),
    "rates chosen on the seeds themselves": (
        {"    learning_rates: [0.03]": "    learning_rates: [0.01, 0.03]\n    tuning_seeds: [1]"},
        ["sobolev.denoise.tuning_seeds", "1 is one of seeds too"],
    ),
    "no variants": ({VARIANTS: ""}, ["studies.width", "variants or factors"]),
    "a factor that is no number": (
        {"factors: {learning_rate: [0.1, 0.2]}": "factors: {learning_rate: [0.1, fast]}"},
        ["studies.learning_rate.factors.learning_rate", "fast is not a number above 0"],
    ),
    "a time for a number": (
        {"steps: 120": "steps: 2:00"},
        ["steps: 2:00 is not a whole number of at least 1"],
    ),
    "a rate that is no number": (
        {"compare: {": "compare: {smallest_effect: .inf, "},
        ["compare.smallest_effect: inf is not a number of at least 1"],
    ),
    "a device that there never is": (
        {"training: {": "training: {device: meta, "},
        ["training.device", "'meta'", "auto, cpu"],
    ),
    "a folder that nothing is read from": (
        {"kind: digits": "kind: digits, path: images"},
        ["data.digits.path: images says nothing of digits; remove it"],
    ),
    "a data set with a slash": (
        {"  digits: {kind": "  a/b: {kind"},
        ["data: 'a/b' is no name"],
    ),
    "a study that is called by a number": (
        {"studies:\n  width:": "studies:\n  12:"},
        ["studies", "12 is no name"],
    ),
    "an unknown section": ({"hsvr:\n": "hsvrr:\n"}, ["hsvrr", "did you mean 'hsvr'"]),
    "a study with a capital": ({"  width:": "  Width:"}, ["studies.Width", "lower-case"]),
    "a key of the wrong kind": (
        {"hidden_widths: [5]}": "method: omd}"},
        ["variants.h5.method", "network"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_configuration_ends_in_one_line_before_work_starts(fresh, name):
    change, words = WRONG[name]
    config = fresh.config(name.replace(" ", "_"), change)
    done = fresh.run(config=config, check=False)
    lines = [x for x in done.stdout.splitlines() if x and not x.startswith("Using workflow")]
    assert done.returncode != 0
    assert len(lines) == 1, done.stdout
    assert lines[0].startswith(f"Error: {config}: ") and lines[0].count(config.name) == 1
    for word in words:
        assert word in lines[0]
    assert not (fresh.root / "results").exists()


def test_missing_configuration_is_named(fresh):
    done = fresh.run(config="config/none.yaml", check=False)
    assert done.returncode != 0
    assert "none.yaml" in done.stdout


def test_missing_mnist_file_is_named_with_the_remedy(another, tmp_path):
    (tmp_path / "empty").mkdir()
    config = another.config(
        "mnist", {"kind: digits}": f"kind: mnist, path: {tmp_path / 'empty'}}}"}
    )
    done = another.run("data", config=config, check=False)
    errors = [x for x in done.stdout.splitlines() if x.startswith("Error: ")]
    assert done.returncode != 0
    assert errors
    assert "train-images" in errors[0]
    assert "data.mnist.path" in errors[0]
    assert not list((another.root / "results").rglob("mnist.*"))


def test_every_shipped_configuration_can_be_planned(fresh):
    for name in ("config", "smoke", "paper", "wide"):
        jobs = fresh.planned(config=f"config/{name}.yaml")
        assert jobs["train_network"] > 0
        assert jobs["report"] == 1
    jobs = fresh.planned(config="config/grokking.yaml")
    assert jobs["train_experiment_on_device"] == jobs["report"] == 1


def test_numbers_are_taken_as_people_write_them(fresh):
    config = fresh.config(
        "numbers", {"evaluate_every: 40": "evaluate_every: 40\n      learning_rate: 1e-1"}
    )
    assert fresh.planned(config=config)["train_network"] > 0
    text = fresh.run("-n", "train", config=config).stdout
    assert "-lr0.1-" in text


def test_a_setting_of_the_command_line_wins_over_the_file(fresh):
    done = fresh.run("-n", "--config", "compare={alpha: 2}", check=False)
    assert done.returncode != 0
    assert "compare.alpha: 2 is not a number above 0 and below 1" in done.stdout


def test_numbers_of_the_command_line_are_taken_as_those_of_a_file(fresh):
    assert fresh.planned("--config", "compare={alpha: 6e-2}")["train_network"] > 0


def test_a_study_may_be_called_on(fresh):
    config = fresh.config("on", {"studies:\n  width:": "studies:\n  on:"})
    assert "results/comparison/on.zarr" in fresh.run("-n", config=config).stdout


def test_the_locale_may_know_ascii_alone(fresh, monkeypatch):
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    assert fresh.planned()["train_network"] > 0


FILES = {
    "Latin-1": (b"data: {}  # \xe9\n", "line 1: byte 0xe9 is not UTF-8"),
    "UTF-16": ("data: {}\n".encode("utf-16"), "is UTF-16"),
    "binary": (b"\x00\x01\x02", "line 1: has the character"),
    "inside of itself": (b"data: &a\n  b: *a\n", "inside of itself"),
    "3,000 levels": (b"a: " + b"[" * 3000 + b"]" * 3000, "too many levels"),
    "a tab": (b"data:\n\td: {kind: digits}\n", "line 2: a tab"),
    "an open bracket": (b"data: {d: [1, 2\nb: 3\n", "line 2: while parsing a flow sequence"),
    "nothing": (b"", "is empty"),
    "a list": (b"- 1\n", "is a list"),
    "a list for a key": (b"? [1]\n: 2\n", "line 1: a list or mapping is no key"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_default_configuration_that_cannot_be_read_is_one_line(fresh, name):
    contents, said = FILES[name]
    default = fresh.root / "config/config.yaml"
    kept = default.read_bytes()
    default.write_bytes(contents)
    try:
        command = [sys.executable, "-m", "snakemake", "-n"]
        done = subprocess.run(
            command, cwd=fresh.root, capture_output=True, text=True, env=without_path()
        )
    finally:
        default.write_bytes(kept)
    lines = [x for x in done.stderr.splitlines() if x and not x.startswith("Using workflow")]
    assert done.returncode != 0
    assert len(lines) == 1 and lines[0].startswith("Error: config/config.yaml: "), done.stderr
    assert said in lines[0]


def without_path():
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
