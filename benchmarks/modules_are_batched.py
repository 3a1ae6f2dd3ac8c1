"""Claim: an ensemble of any module costs no more than a loop, far less where networks are small.

Per network and step, gradient and update: a plain loop over single networks of PyTorch against the
ensemble, whose networks are computed together by vmap or one after the other. The aim for LeNet was
5 × a loop. It is not reached on a processor: three quarters of a step go into convolutions and
maxima, which are as much work side by side, and grouped convolutions, which vmap makes of them,
have slower kernels. Then the square network of the study of grokking, 250 runs in blocks. See
README.md.
"""

import statistics
import time
from dataclasses import replace
from functools import partial

import numpy as np
import torch
import xarray as xr
from measuring import THREADS, alternate, arguments, judged

from koopscope.config.data import DataSpec
from koopscope.config.models import ModelSetup
from koopscope.data.loading import load
from koopscope.training.architectures import build
from koopscope.training.batches import sample_order
from koopscope.training.module_training import seeds_together
from koopscope.training.modules import ModuleEnsemble
from koopscope.training.one_module import inputs_of

ROUNDS = 5
SEEDS = tuple(range(10))
CPU = torch.device("cpu")
LENET_TARGET, MLP_TARGET = 5, 5
RUNS, STEPS, MEASURED = 250, 3000, 60
MINUTES_TARGET = 2


def looped(setup: ModelSetup, data: xr.Dataset) -> float:
    """Milliseconds a network and step of a plain loop."""
    images, labels = inputs_of(setup, data)["train"]
    modules = [build(setup, seed) for seed in setup.seeds]
    optimizers = [torch.optim.SGD(m.parameters(), lr=setup.learning_rate) for m in modules]
    orders = [sample_order(setup, seed, len(images)) for seed in setup.seeds]
    start = time.perf_counter()
    for step in range(setup.steps):
        for module, optimizer, order in zip(modules, optimizers, orders, strict=True):
            batch = order[step]
            loss = torch.nn.functional.cross_entropy(module(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return 1e3 * (time.perf_counter() - start) / setup.steps / len(setup.seeds)


def ensemble(setup: ModelSetup, data: xr.Dataset) -> float:
    """Milliseconds a network and step of the ensemble."""
    images, labels = inputs_of(setup, data)["train"]
    networks = ModuleEnsemble(setup, setup.seeds, CPU)
    if setup.batch_size is not None:
        orders = np.stack([sample_order(setup, seed, len(images)) for seed in setup.seeds])
    start = time.perf_counter()
    for step in range(setup.steps):
        if setup.batch_size is None:
            networks.descend(images[None], labels[None])
        else:
            networks.descend(images[orders[:, step]], labels[orders[:, step]])
    return 1e3 * (time.perf_counter() - start) / setup.steps / len(setup.seeds)


def main() -> None:
    """Measure the ways and print their ratios."""
    quick = arguments(__doc__).quick
    rounds, steps = (1, 2) if quick else (ROUNDS, 20)
    torch.set_num_threads(THREADS)
    digits = DataSpec("digits", "digits")
    data = load(digits)
    print(f"batch 60, 10 networks, {THREADS} threads; the ways take turns, medians of {rounds}")
    for name, target, ways in (
        ("lenet", LENET_TARGET, {"one by one": False, "vmap": True}),
        ("mlp", MLP_TARGET, {"vmap": True, "one by one": False}),
    ):
        setup = ModelSetup(digits, architecture=name, steps=steps, seeds=SEEDS)
        own = {
            way: ModelSetup(digits, architecture=name, steps=steps, seeds=SEEDS, together=together)
            for way, together in ways.items()
        }
        times = alternate(
            {"loop": partial(looped, setup, data)}
            | {way: partial(ensemble, of, data) for way, of in own.items()},
            {},
            rounds,
        )
        for way, taken in times.items():
            print(f"  {f'{name}, {way}':<30}{taken:>9.4f} ms per network and step")
        best = next(iter(ways))
        print(judged(f"{name}: loop / ensemble", times["loop"] / times[best], target, quick))
    pairs = DataSpec("pairs", "modular", modulus=23, train_share=0.6, encoding="onehot")
    grokking = ModelSetup(
        pairs,
        architecture="square_mlp",
        loss="squared_error",
        optimizer="adamw",
        learning_rate=0.005,
        weight_decay=1.0,
        batch_size=None,
        steps=2 if quick else MEASURED,
        seeds=tuple(range(RUNS)),
        evaluate_every=MEASURED,
    )
    # As many side by side as a study has.
    beside = seeds_together(grokking, MEASURED, CPU)
    block = replace(grokking, seeds=grokking.seeds[:beside])
    taken = statistics.median(ensemble(block, load(pairs)) for _ in range(rounds))
    minutes = taken * RUNS * STEPS / 60_000
    print(f"  {f'square_mlp, {beside} side by side':<30}{taken:>9.4f} ms per network and step")
    print(judged("2 minutes / 250 runs × 3,000 steps", MINUTES_TARGET / minutes, 1, quick))


if __name__ == "__main__":
    main()
