"""Claim: pruned units that are taken out make a training step cheaper; masks alone do not.

Networks of MNIST's size at a quarter of their weights. See README.md.
"""

from collections.abc import Callable

import torch
from measuring import alternate, arguments, judged, seconds
from torch import nn

from koopscope.experiments.pruned_training.run import select
from koopscope.pruning.chains import score_weights
from koopscope.pruning.compaction import fully_connected
from koopscope.pruning.pruned_run import PrunedRun
from koopscope.training.models import build

BATCH, STEPS, ROUNDS, COMPRESSION = 128, 20, 7, 4
FASTER, OVERHEAD = 2.0, 1.15
NETWORKS = {
    "mlp": (lambda: fully_connected((784, 300, 100, 10), 0), (784,)),
    "mnistnet": (lambda: build("mnistnet", 0), (1, 28, 28)),
}


def made(model: nn.Module, shape: tuple[int, ...], method: str | None) -> PrunedRun:
    """Run of a new network, pruned by a method if one is given."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True)
    run = PrunedRun(model, optimizer, torch.zeros(1, *shape))
    if method:
        scores = score_weights(method, model, None, 0)
        run.apply_masks(select(method, scores, model, run.masks, scores.size // COMPRESSION))
    return run


def timed(run: PrunedRun, data: list) -> Callable[[], float]:
    """Task that measures a step."""
    return lambda: seconds(lambda: run.train(data)) / len(data)


def main() -> None:
    """Print the ratios."""
    quick = arguments(__doc__).quick
    torch.set_num_threads(1)
    torch.manual_seed(0)
    steps, rounds = (2, 2) if quick else (STEPS, ROUNDS)
    for name, (new, shape) in NETWORKS.items():
        data = [(torch.randn(BATCH, *shape), torch.randint(10, (BATCH,))) for _ in range(steps)]
        kinds = {"dense": None, "single weights": "magnitude", "units": "magnitude:structured"}
        runs = {kind: made(new(), shape, method) for kind, method in kinds.items()}
        for run in runs.values():
            run.train(data[:2])
        tasks = {kind: timed(run, data) for kind, run in runs.items()}
        found = alternate(tasks, {}, rounds)
        print(f"{name}: {1000 * found['dense']:.3g} ms a step of {BATCH} samples, one thread")
        print(
            judged("units taken out: times faster", found["dense"] / found["units"], FASTER, quick)
        )
        ratio = found["single weights"] / found["dense"]
        print(judged("masks alone: time ÷ dense", ratio, OVERHEAD, quick, at_least=False))


if __name__ == "__main__":
    main()
