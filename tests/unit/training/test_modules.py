"""Ensembles of any module against the fast path, plain PyTorch loops, and what they refuse."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from koopscope.config.data import DataSpec
from koopscope.config.models import ELEMENTWISE, ModelSetup
from koopscope.config.setup import NetworkSetup
from koopscope.data.loading import load
from koopscope.errors import InputError
from koopscope.training.answers import losses_of
from koopscope.training.architectures import MAKERS, SquareMLP, build
from koopscope.training.batches import initial_weights, sample_order
from koopscope.training.loop import Accuracy, Block
from koopscope.training.module_training import train_modules, trained
from koopscope.training.modules import ModuleEnsemble
from koopscope.training.networks import NetworkEnsemble
from koopscope.training.one_module import inputs_of, sample_shape, vmapped

CPU = torch.device("cpu")
DIGITS = DataSpec("digits", "digits")
HERE = "fixtures.user_modules"


@pytest.fixture(scope="module")
def data():
    return load(DIGITS)


def setup_of(**fields):
    return ModelSetup(DIGITS, **{"seeds": (3, 5), "steps": 6, "evaluate_every": 3} | fields)


def loop(setup, data, seed):
    """One seed's network trained by a plain loop of PyTorch, its channels as in the ensemble."""
    module, split = build(setup, seed), inputs_of(setup, data)
    images, labels = split["train"]
    if setup.architecture and not setup.together and images.ndim == 4:
        module = module.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    name, told, _ = ELEMENTWISE[setup.optimizer]
    optimizer = getattr(torch.optim, name)(
        module.parameters(),
        lr=setup.learning_rate,
        weight_decay=setup.weight_decay,
        **{k: 0.9 if k == "momentum" else v for k, v in told.items()},
        **setup.optimizer_options,
    )
    for batch in sample_order(setup, seed, len(images)):
        loss = nn.functional.cross_entropy(module(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module


ONE_STEP = {"steps": 1, "evaluate_every": 1, "batch_size": 8}
ARCHITECTURES = {
    "mlp": {"architecture": "mlp", "options": {"hidden_widths": (7, 5), "activation": "gelu"}},
    "square_mlp": {"architecture": "square_mlp", "options": {"width": 6}, "initial_scale": 0.1},
    "lenet": {"architecture": "lenet"},
    "lenet, together": {"architecture": "lenet", "together": True},
    # Rounding grows fast in it: sums in another order are asked to agree in one step alone.
    "resnet20": {"architecture": "resnet20", **ONE_STEP},
    "resnet20, together": {"architecture": "resnet20", "together": True, **ONE_STEP},
}


@pytest.mark.parametrize("case", ARCHITECTURES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_network_is_trained_as_by_a_plain_loop(data, case, optimizer):
    rate = 0.05 if optimizer == "sgd" else 0.001
    setup = setup_of(**ARCHITECTURES[case], optimizer=optimizer, learning_rate=rate)
    networks = ModuleEnsemble(setup, setup.seeds, CPU)
    images, labels = inputs_of(setup, data)["train"]
    orders = np.stack([sample_order(setup, seed, len(images)) for seed in setup.seeds])
    for step in range(setup.steps):
        networks.descend(images[orders[:, step]], labels[orders[:, step]])
    few = inputs_of(setup, data)["test"][0][:50]
    answers = networks.logits(few)
    for i, seed in enumerate(setup.seeds):
        module = loop(setup, data, seed)
        for name, expected in module.named_parameters():
            found, start = networks.weights(name)[i, 0], dict(build(setup, seed).named_parameters())
            moved = (expected - start[name]).norm()
            assert moved > 0
            # Adam divides by the size of gradients that are nothing but rounding.
            apart = 0.02 if optimizer == "sgd" else 0.25
            assert (found - expected).norm() <= apart * moved
        for name, expected in module.named_buffers():
            found = networks.buffers[name][i]
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        with torch.no_grad():
            expected = module.eval()(few)
        largest = float(expected.abs().max())
        torch.testing.assert_close(answers[i, 0], expected, atol=0.03 * largest, rtol=0)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop"])
def test_the_general_path_gives_the_numbers_of_the_fast_one(data, optimizer):
    """Same seeds, weights to 1e-5 after 100 steps."""
    rate = {"sgd": 0.1, "momentum": 0.01}.get(optimizer, 0.001)
    shared = {
        "optimizer": optimizer,
        "learning_rate": rate,
        "steps": 100,
        "seeds": (3, 5),
        "initialisations": 2,
    }
    fast_setup = NetworkSetup(DIGITS, hidden_widths=(9, 7), activation="tanh", **shared)
    told = {"hidden_widths": (9, 7), "activation": "tanh", "bias": False}
    setup = ModelSetup(DIGITS, architecture="mlp", options=told, **shared)
    drawn = [initial_weights(fast_setup, seed) for seed in setup.seeds]
    fast = NetworkEnsemble(fast_setup, drawn, CPU)
    initial = {
        f"{layer}.weight": np.stack([w[layer] for w in drawn]).swapaxes(2, 3)
        for layer in fast_setup.layers
    }
    general = ModuleEnsemble(setup, setup.seeds, CPU, initial)
    images, labels = inputs_of(setup, data)["train"]
    orders = np.stack([sample_order(setup, seed, len(images)) for seed in setup.seeds])
    for step in range(setup.steps):
        batch = orders[:, step]
        flat = images[batch].flatten(2)
        expected = fast.descend(flat, labels[batch])
        found = general.descend(images[batch], labels[batch])
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    for layer in fast_setup.layers:
        expected = fast.weights(layer).mT
        found = general.weights(f"{layer}.weight")
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("optimizer", ELEMENTWISE)
def test_every_optimiser_treats_each_weight_by_itself(data, optimizer):
    decay = 0.01 if optimizer == "adamw" else 0.0
    setup = setup_of(architecture="mlp", optimizer=optimizer, weight_decay=decay, steps=5)
    both = trained(setup, data, "cpu")
    alone = [
        trained(
            setup_of(
                architecture="mlp", optimizer=optimizer, weight_decay=decay, steps=5, seeds=(seed,)
            ),
            data,
            "cpu",
        )
        for seed in setup.seeds
    ]
    for i, one in enumerate(alone):
        np.testing.assert_allclose(both["weights"][i], one["weights"][0], atol=1e-4, rtol=0)
    moved = np.abs(both["weights"].isel(step=-1) - both["weights"].isel(step=0))
    assert (moved.max("weight") > 0).all()


def test_other_networks_of_a_seed_lie_near_the_first(data):
    setup = setup_of(architecture="mlp", initialisations=4, perturbation_scale=0.01)
    networks = ModuleEnsemble(setup, setup.seeds, CPU)
    for name in networks.parameters:
        values = networks.weights(name)
        first = values[:, :1]
        ratio = ((values[:, 1:] - first) / first).abs()
        assert ratio.max() <= 0.01 + 1e-6
        assert ratio.max() > 0.001
    expected = dict(build(setup, 3).named_parameters())["output.weight"]
    torch.testing.assert_close(networks.weights("output.weight")[0, 0], expected.detach())


def test_all_samples_at_once_are_one_batch(data):
    whole = trained(setup_of(architecture="mlp", batch_size=None, steps=3), data, "cpu")
    one = trained(
        setup_of(architecture="mlp", batch_size=1437, shuffle=False, steps=3), data, "cpu"
    )
    np.testing.assert_allclose(whole["weights"], one["weights"], atol=1e-6)


def test_snapshots_are_taken_every_so_many_steps(data):
    every = trained(setup_of(architecture="mlp", steps=6), data, "cpu")
    third = trained(setup_of(architecture="mlp", steps=6, record_every=3), data, "cpu")
    assert third["step"].values.tolist() == [3, 6]
    np.testing.assert_array_equal(third["weights"], every["weights"].sel(step=[3, 6]))
    np.testing.assert_array_equal(third["loss"], every["loss"].sel(step=[3, 6]))
    assert third["evaluation"].values.tolist() == [0, 3, 6]


def test_a_block_of_few_snapshots_gives_the_same(data):
    setup = setup_of(architecture="mlp", steps=6, probe=4)
    pieces = list(train_modules(setup, data, 4, "cpu"))
    blocks = [p for p in pieces if isinstance(p, Block)]
    assert [b.steps for b in blocks] == [slice(0, 4), slice(4, 6)]
    assert sum(isinstance(p, Accuracy) for p in pieces) == 3
    found = trained(setup, data, "cpu")
    for name, variable in (("weights", "weights"), ("probe", "probe")):
        joined = np.concatenate([b.observed[name] for b in blocks], axis=2)
        np.testing.assert_array_equal(joined, found[variable])


def test_sketches_are_sums_of_each_parameter_with_signs(data):
    plain = trained(setup_of(architecture="lenet", steps=2), data, "cpu")
    setup = setup_of(architecture="lenet", steps=2, sketch=20)
    found = trained(setup, data, "cpu")
    assert found.sizes["weight"] == setup.weights == 8 * 20 + 6 + 16 - 40 + 20 + 10
    networks = ModuleEnsemble(setup, setup.seeds, CPU)
    name = "fc3.weight"
    networks.snapshot()
    sketch = networks._sketches[name]
    at = list(setup.shapes).index(name)
    start = sum(math.prod(s) for s in list(setup.shapes.values())[:at])
    values = plain["weights"].isel(step=1).values[..., start : start + 840]
    start = sum(min(20, math.prod(s)) for s in list(setup.shapes.values())[:at])
    expected = found["weights"].isel(step=1).values[..., start : start + 20]
    np.testing.assert_allclose(sketch.of_runs(values[:, 0]), expected[:, 0], atol=1e-4)


def test_a_length_is_kept_from_the_first_step_on(data):
    setup = setup_of(architecture="mlp", norm_kept=0.8)
    markers = {"length": lambda networks, _: networks.lengths()[..., None]}
    found = trained(setup, data, "cpu", markers=markers)["length"]
    free = ModuleEnsemble(setup_of(architecture="mlp"), setup.seeds, CPU).lengths()
    np.testing.assert_allclose(found, 0.8 * free.numpy()[..., None].repeat(6, axis=2), rtol=1e-5)


def test_gradients_lengths_are_those_of_a_step_of_plain_descent(data):
    setup = setup_of(architecture="mlp", learning_rate=0.5)
    markers = {"gradient": lambda networks, _: networks.gradient_lengths()[..., None]}
    found = trained(setup, data, "cpu", markers=markers)
    step = np.linalg.norm(np.diff(found["weights"], axis=2), axis=3)
    np.testing.assert_allclose(found["gradient"][..., 1:], step / 0.5, rtol=1e-3)


def test_a_run_that_diverges_is_marked_and_leaves_the_others_alone(data):
    setup = setup_of(architecture="mlp", options={"activation": "relu"})
    calm = trained(setup, data, "cpu")
    networks_of = ModuleEnsemble.__init__

    def broken(self, *args, **kwargs):
        networks_of(self, *args, **kwargs)
        self.parameters["output.bias"].data[1] = torch.nan

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModuleEnsemble, "__init__", broken)
        found = trained(setup, data, "cpu")
    assert found["diverged_at"].values.tolist() == [[-1], [0]]
    assert np.isnan(found["weights"][1]).all()
    np.testing.assert_array_equal(found["weights"][0], calm["weights"][0])


@pytest.mark.parametrize("shared", [True, False])
def test_square_networks_side_by_side_are_those_of_vmap(data, shared):
    setup = setup_of(architecture="square_mlp", options={"width": 6}, initialisations=2)
    networks = ModuleEnsemble(setup, setup.seeds, CPU)
    given = {name: values.detach().double() for name, values in networks.parameters.items()}
    images = inputs_of(setup, data)["train"][0][:12].flatten(1).double()
    if not shared:
        images = images.view(4, 3, -1)
    expected, _ = vmapped(networks.module, given, {}, images, shared)
    torch.testing.assert_close(SquareMLP.of_many(given, images), expected)

    def of(*weights):
        return SquareMLP.of_many(dict(zip(given, weights, strict=True)), images[..., :2, :])

    assert torch.autograd.gradcheck(of, [values.requires_grad_() for values in given.values()])


@pytest.mark.parametrize("name", MAKERS)
def test_architectures_draw_no_random_numbers_when_they_are_asked(name):
    kind = "pairs" if name == "transformer" else "digits"
    told = {"modulus": 5, "encoding": "tokens"} if kind == "pairs" else {}
    setup = ModelSetup(
        DataSpec(kind, "modular" if told else kind, **told), architecture=name, batch_size=3
    )
    module = build(setup, 0).train()
    before = torch.random.get_rng_state()
    module(torch.zeros(2, *sample_shape(setup, module)))
    assert torch.equal(before, torch.random.get_rng_state())


def test_squared_error_has_the_gradient_of_autograd():
    logits = torch.randn(3, 5, 4, dtype=torch.float64, requires_grad=True)
    for labels in (torch.tensor([[0, 1, 3, 3, 2]]), torch.arange(15).view(3, 5) % 4):
        assert torch.autograd.gradcheck(
            lambda given, truth=labels: losses_of("squared_error", given, truth), logits
        )


def test_squared_error_is_that_against_ones_and_zeros():
    logits = torch.tensor([[[1.0, 0.0], [0.5, 0.5]]])
    found = losses_of("squared_error", logits, torch.tensor([[0, 1]]))
    assert found.tolist() == [pytest.approx((0 + 0 + 0.25 + 0.25) / 4)]
    entropy = losses_of("cross_entropy", logits, torch.tensor([[0, 1]]))
    expected = nn.functional.cross_entropy(logits[0], torch.tensor([0, 1]))
    assert entropy[0] == pytest.approx(float(expected))


@pytest.mark.parametrize("name", [n for n in MAKERS if n != "transformer"])
@pytest.mark.parametrize("kind", ["digits", "mnist", "cifar10"])
def test_shapes_known_beforehand_are_those_of_the_network(name, kind):
    setup = ModelSetup(DataSpec(kind, kind), architecture=name)
    built = {n: tuple(p.shape) for n, p in build(setup, 0).named_parameters()}
    assert list(built.items()) == list(setup.shapes.items())


def test_a_transformer_is_trained_as_by_a_plain_loop():
    tokens = DataSpec("pairs", "modular", modulus=7, encoding="tokens")
    pairs = load(tokens)
    setup = ModelSetup(
        tokens,
        architecture="transformer",
        options={"width": 8, "heads": 2, "feedforward": 16},
        batch_size=12,
        steps=6,
        seeds=(3, 5),
    )
    built = {n: tuple(p.shape) for n, p in build(setup, 0).named_parameters()}
    assert list(built.items()) == list(setup.shapes.items())
    found = trained(setup, pairs, "cpu")["weights"].isel(step=-1, init=0)
    for i, seed in enumerate(setup.seeds):
        module = loop(setup, pairs, seed)
        expected = torch.cat([p.detach().flatten() for p in module.parameters()])
        np.testing.assert_allclose(found[i], expected, atol=1e-5)


def test_the_same_seed_draws_the_same_network_and_leaves_the_state_alone():
    setup = setup_of(architecture="lenet", initial_scale=2.0)
    before = torch.random.get_rng_state()
    first, again, other = build(setup, 1), build(setup, 1), build(setup, 2)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)
    plain = build(setup_of(architecture="lenet"), 1)
    assert torch.equal(first.conv1.weight, 2 * plain.conv1.weight)


def test_a_module_of_ones_own_is_trained_as_by_a_plain_loop(data):
    setup = setup_of(module=f"{HERE}:small", options={"width": 3})
    assert setup.shapes == {
        "1.weight": (3, 64),
        "1.bias": (3,),
        "3.weight": (10, 3),
        "3.bias": (10,),
    }
    found = trained(setup, data, "cpu")["weights"].isel(step=-1, init=0)
    for i, seed in enumerate(setup.seeds):
        module = loop(setup, data, seed)
        expected = torch.cat([p.detach().flatten() for p in module.parameters()])
        np.testing.assert_allclose(found[i], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["dropping", "Deciding", "Drawing"])
def test_what_vmap_cannot_do_is_computed_one_after_the_other(data, name):
    setup = setup_of(module=f"{HERE}:{name}", together=False)
    first, again = (trained(setup, data, "cpu") for _ in range(2))
    np.testing.assert_array_equal(first["weights"], again["weights"])
    assert np.isfinite(first["weights"]).all()


REFUSED = {
    "nothing.of.this:name": r"^module: nothing.of.this cannot be imported: ModuleNotFoundError: .*",
    f"{HERE}:absent": rf"^module: {HERE} has no function 'absent'; give one that it has$",
    f"{HERE}:failing": rf"^module: {HERE}:failing fails: ValueError: no such file$",
    f"{HERE}:no_module": rf"^module: {HERE}:no_module gives int; give a torch.nn.Module$",
    f"{HERE}:Without": rf"^module: {HERE}:Without has no parameters; .*$",
    f"{HERE}:mixed": rf"^module: {HERE}:mixed has parameters of float32, float64; .*$",
    f"{HERE}:narrow": rf"^module: {HERE}:narrow gives \(2, 7\) for 2 samples; give logits of .*$",
    f"{HERE}:dropping": rf"^module: {HERE}:dropping: dropout in 1 \(p = 0.5\) .*together: false.*$",
    f"{HERE}:Deciding": r"^module: decides by the values of its data .*together: false.*$",
    f"{HERE}:Drawing": r"^module: draws random numbers in its forward pass.*together: false.*$",
    "no function": r"^module: 'no function' is no function; give package.module:function$",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_module_that_cannot_be_trained_is_refused_in_one_line(name):
    with pytest.raises(InputError, match=REFUSED[name]):
        setup_of(module=name)


def test_a_module_that_takes_other_images_is_refused_with_what_it_says():
    name = "torch.nn:Linear"
    with pytest.raises(InputError, match=r"^module: torch.nn:Linear fails on 2 samples of shape"):
        setup_of(module=name, options={"in_features": 3, "out_features": 10})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, r"^architecture, module: null, null; give one of the two$"),
        ({"architecture": "lenet", "module": "a:b"}, r"^architecture, module: lenet, a:b; .*$"),
        ({"architecture": "vgg"}, r"^architecture: unknown 'vgg'; give one of lenet, .*$"),
        (
            {"architecture": "mlp", "options": {"width": 3}},
            r"^options.width: unknown option of mlp; .*$",
        ),
        (
            {"architecture": "mlp", "options": {"hidden_widths": [0]}},
            r"^options.hidden_widths: \[0\]; give whole numbers of at least 1$",
        ),
        (
            {"architecture": "mlp", "options": {"hidden_widths": 3}},
            r"^options.hidden_widths: 3; give a list of whole numbers$",
        ),
        (
            {"architecture": "mlp", "options": {"bias": 1}},
            r"^options.bias: 1 is not true or false$",
        ),
        (
            {"architecture": "mlp", "options": {"activation": "soft"}},
            r"^options.activation: unknown 'soft'; .*$",
        ),
        (
            {"architecture": "lenet", "observable": ("fc9.*",)},
            r"^observable: fc9.\* is no parameter; give some of conv1.weight, .*$",
        ),
        ({"architecture": "lenet", "record_every": 4}, r"^record_every: 4 does not divide 6 steps"),
        ({"architecture": "lenet", "optimizer": "lbfgs"}, r"^optimizer: unknown 'lbfgs'; .*$"),
        ({"architecture": "lenet", "optimizer": "adamw"}, r"^weight_decay: 0 leaves adamw .*$"),
        (
            {"architecture": "lenet", "optimizer_options": {"speed": 3}},
            r"^optimizer_options: sgd: .*speed.*$",
        ),
    ],
)
def test_a_setup_that_cannot_be_trained_is_refused_in_one_line(fields, said):
    with pytest.raises(InputError, match=said):
        setup_of(**fields)


def test_data_of_another_size_and_batches_too_large_are_refused(data):
    with pytest.raises(InputError, match="^data: 64 pixels, but the setup is for 784$"):
        trained(ModelSetup(DataSpec("mnist", "mnist"), architecture="mlp"), data, "cpu")
    with pytest.raises(InputError, match="^batch_size: 2000, but digits has 1437 training samples"):
        trained(setup_of(architecture="mlp", batch_size=2000), data, "cpu")
