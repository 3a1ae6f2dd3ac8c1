"""The pruning experiment on the bundled digits, its networks, and the example of the docs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.experiments.pruning import finetuning
from koopscope.experiments.pruning.epochs import included, record_epochs
from koopscope.experiments.pruning.finetuning import FineTuning, trial
from koopscope.experiments.pruning.names import METHODS
from koopscope.experiments.pruning.protocol import Protocol
from koopscope.experiments.pruning.run import gathered, koopman_scores, plain_scores, prune
from koopscope.pruning import masks, scores
from koopscope.pruning.agreement import chance_jaccard, jaccard
from koopscope.pruning.fixed_points import fixed_point
from koopscope.pruning.masks import select_masks
from koopscope.pruning.names import EIGENVALUE_TOLERANCE
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots, window
from koopscope.recording.weights import prunable, vector
from koopscope.training.models import build
from koopscope.training.single import batches, samples, train_epoch

SMALL = Protocol(
    epochs=(2,),
    compression_ratios=(2, 8),
    methods=("koopman_magnitude", "koopman_gradient:sum", "magnitude", "gradient", "random"),
    learning_rate=0.02,
)


def run(protocol, data, seed, folder):
    """Numbers of one seed along ``epoch``, stage by stage as the workflow makes them."""
    record_epochs(protocol, data, seed, folder)
    found = [prune(protocol, data, seed, epoch, folder) for epoch in protocol.epochs]
    return gathered(found).isel(seed=0)


@pytest.fixture(scope="module")
def data():
    return digits.load().isel(train_sample=slice(600), test_sample=slice(100))


@pytest.fixture(scope="module")
def result(data, tmp_path_factory):
    return run(SMALL, data, 3, tmp_path_factory.mktemp("snapshots"))


def test_a_result_has_a_number_for_each_method_compression_and_moment(result):
    assert dict(result.sizes) == {
        "epoch": 1, "score": 5, "compression": 2, "moment": 2, "layer": 4, "pair": 4
    }  # fmt: skip
    assert result["score"].values.tolist() == list(SMALL.methods)
    assert result["refused"].item() == ""
    assert result["seed"] == 3
    for name in ("accuracy", "kept", "jaccard"):
        assert ((result[name] >= 0) & (result[name] <= 1)).all()
    assert result["pair"].values.tolist() == [
        "koopman_magnitude / magnitude",
        "koopman_gradient:sum / gradient",
        "koopman_magnitude / late_magnitude",
        "magnitude / late_magnitude",
    ]
    # Only one epoch was recorded, so it is the last one too.
    assert (result["jaccard"].sel(pair="magnitude / late_magnitude") == 1).all()
    assert result["residual"].notnull().all()
    np.testing.assert_allclose(
        result["jaccard_by_chance"][0], [chance_jaccard(0.5), chance_jaccard(0.125)], rtol=0.02
    )


def test_finetuning_mends_and_what_is_kept_is_what_was_asked(result):
    chosen = result["accuracy"].isel(epoch=0).sel(score="magnitude", compression=2)
    assert chosen.sel(moment="after") > chosen.sel(moment="before")
    sizes = np.array([500, 25_000, 400_000, 5_000])
    kept = (result["kept"].isel(epoch=0) * sizes).sum("layer") + 580
    for compression in SMALL.compression_ratios:
        assert (kept.sel(compression=compression).round() == 431_080 // compression).all()


def test_a_run_is_the_same_again(result, data, tmp_path):
    xr.testing.assert_identical(result, run(SMALL, data, 3, tmp_path))


def test_a_window_without_a_fixed_point_leaves_its_methods_out_and_says_why(data, tmp_path):
    protocol = Protocol(
        epochs=(1,),
        methods=("koopman_magnitude", "magnitude"),
        eigenvalue_tolerance=1e-12,
        finetune_epochs=0,
    )
    found = run(protocol, data, 0, tmp_path)
    assert found["refused"].item().startswith("window: no eigenvalue within 1e-12 of 1")
    assert found["accuracy"].sel(score="koopman_magnitude").isnull().all()
    assert found["accuracy"].sel(score="magnitude", moment="before").notnull().all()


def test_only_what_is_asked_for_is_evaluated_and_fine_tuned(data, tmp_path):
    methods = ("magnitude", "gradient", "random")
    protocol = replace(
        SMALL,
        methods=methods,
        evaluated=methods[:2],
        finetuned=methods[:1],
        finetuned_compression_ratios=(8,),
    )
    accuracy = run(replace(protocol, epochs=(1,)), data, 0, tmp_path)["accuracy"]
    known = accuracy.isel(epoch=0).notnull()
    assert known.sel(moment="before", score=["magnitude", "gradient"]).all()
    assert known.sel(moment="after", score="magnitude").values.tolist() == [False, True]
    assert not known.sel(moment="after", score="gradient").any()
    assert not known.sel(score="random").any()


def test_finetuning_may_end_within_an_epoch(data, monkeypatch):
    counts = []
    monkeypatch.setattr(finetuning, "train_epoch", lambda m, o, b: counts.append(len(list(b))))
    model = build("mnistnet", 0)
    mask = masks.select_masks(scores.magnitude(vector(prunable(model))), 2)
    trial(model, mask, samples(data, model), FineTuning(0.02, 0.9, 128, 1.4), 0)
    # 600 samples make five batches of at most 128.
    assert counts == [5, 2]


def test_early_methods_are_compared_with_what_is_large_in_the_end(data, tmp_path):
    protocol = replace(SMALL, epochs=(1, 3), methods=("magnitude", "window_mean"), evaluated=())
    found = run(protocol, data, 0, tmp_path)["jaccard"]
    late = found.sel(pair="magnitude / late_magnitude", compression=8)
    assert late.sel(epoch=1) < 1
    assert late.sel(epoch=3) == 1


def test_a_missing_epoch_is_refused(data, tmp_path):
    with pytest.raises(InputError, match="epoch-2.pt: no such file; record epoch 2 first"):
        prune(SMALL, data, 0, 2, tmp_path)


def test_what_cannot_be_run_is_refused_in_one_line():
    for choices, message in (
        ({"methods": ("best",)}, "^methods: unknown 'best'; give one of koopman_magnitude, "),
        ({"epochs": (0,)}, r"^epochs\[0\]: 0 is not a whole number of at least 1"),
        ({"epochs": ()}, "^epochs: none; give at least 1, each once$"),
        ({"epochs": (2, 1)}, r"^epochs: \[2, 1\]; give them ascending$"),
        (
            {"compression_ratios": (0.5,)},
            r"^compression_ratios\[0\]: 0.5 is not a number of at least 1",
        ),
        ({"methods": ()}, "^methods: none; give at least 1 of koopman_magnitude, .*, each once$"),
        ({"methods": ("random", "random")}, "^methods: random stands twice; give each once$"),
        (
            {"methods": ("random",), "evaluated": ("snip",)},
            "^evaluated: unknown 'snip'; .* random$",
        ),
        (
            {"evaluated": ("snip",), "finetuned": ("random",)},
            "^finetuned: unknown 'random'; .* snip$",
        ),
        (
            {"finetuned_compression_ratios": (8,)},
            "^finetuned_compression_ratios: unknown 8; give one of 4$",
        ),
        ({"finetune_epochs": -1}, "^finetune_epochs: -1 is not a number of at least 0"),
        ({"model": "vgg"}, "^model: unknown 'vgg'; give one of mnistnet, resnet20"),
    ):
        with pytest.raises(InputError, match=message):
            Protocol(**choices)


def test_every_method_gives_a_score_for_each_weight(data):
    model, new = build("mnistnet", 0), build("mnistnet", 0)
    batch = next(batches(samples(data, model).train, 128, 0))
    values = np.abs(np.random.default_rng(0).normal(size=430_500))
    steps = 1 + 0.1 * 0.7 ** np.arange(6)[:, None] * np.random.default_rng(1).normal(size=430_500)
    trajectory = xr.DataArray(
        (values * steps).astype(np.float32),
        dims=("step", "weight"),
        coords=scores.magnitude(vector(prunable(model))).coords,
    )
    plain = plain_scores(model, new, trajectory, batch, included(model, True), 0)
    koopman, facts = koopman_scores(
        trajectory, [m for m in METHODS if m not in plain], "rounding", EIGENVALUE_TOLERANCE, 0
    )
    assert not plain.keys() & koopman.keys()
    # Shuffled, this window has no dynamics left; whether an eigenvalue is near 1 is luck.
    assert set(METHODS) - {*plain, *koopman} <= {"koopman_magnitude_shuffled"}
    for recipe in (plain | koopman).values():
        score = recipe()
        assert score.shape == (430_500,)
        assert (score >= 0).all()
    np.testing.assert_allclose(facts["second_eigenvalue"], 0.7, atol=1e-3)


def test_late_in_a_real_training_koopman_and_magnitude_pruning_keep_the_same(tmp_path):
    images = digits.load()
    inputs = torch.as_tensor(images["train_images"].values / 16, dtype=torch.float32)
    split = (inputs, torch.as_tensor(images["train_labels"].values.astype(np.int64)))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    overlap = {}
    for epoch in range(1, 26):
        with Recorder(model, tmp_path / f"{epoch}.zarr", include=prunable(model)) as recorder:
            recorder.follow(optimizer)
            train_epoch(model, optimizer, batches(split, 32, epoch))
        if epoch in (1, 25):
            snapshots = window(open_snapshots(tmp_path / f"{epoch}.zarr"))
            found = fixed_point(snapshots)
            overlap[epoch] = jaccard(
                select_masks(scores.koopman_magnitude(found), 4),
                select_masks(scores.last_snapshot(snapshots), 4),
            )
    assert overlap[1] < overlap[25]
    assert overlap[25] > 0.95
