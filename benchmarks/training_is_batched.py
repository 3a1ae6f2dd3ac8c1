"""Claim: training an ensemble as one batch is much faster than training its networks one by one.

Per network and step, at the size of the paper's headline experiment. Each way keeps a snapshot of
the output layer after every step, as a Koopman fit needs. See README.md.
"""

import time
from collections.abc import Iterable
from functools import partial

import numpy as np
import torch
import xarray as xr
from measuring import THREADS, alternate, arguments, judged
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from koopscope.config.data import CLASSES, DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data.dataset import standardised
from koopscope.data.loading import load
from koopscope.training.ensemble import Block, train
from koopscope.training.recording import steps_per_chunk

ROUNDS = 3
LOADER_STEPS = 200
LOOP_STEPS = 1000
ENSEMBLE_STEPS = 200
SEEDS = 25
SIDE = 28
LOADER_TARGET = 50
LOADER_AIM = 80
LOOP_TARGET = 4


class OneByOne(Dataset):
    """Images that are converted and normalised one at a time, as torchvision's MNIST is.

    The same calls in the same order: PIL image, ``ToTensor``, ``Normalize``. Torchvision itself has
    no build for every machine that this runs on.
    """

    def __init__(self, data: xr.Dataset) -> None:
        self.images = torch.as_tensor(data["train_images"].values).view(-1, SIDE, SIDE)
        self.labels = torch.as_tensor(data["train_labels"].values.astype(np.int64))
        self.mean, self.sd = ((data.attrs[name] / 255,) for name in ("mean", "sd"))

    def __len__(self) -> int:
        """Count the images."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """Return image ``(1, row, column)`` and label."""
        picture = Image.fromarray(self.images[index].numpy())
        return self._normalised(self._to_tensor(picture)), int(self.labels[index])

    def _to_tensor(self, picture: Image.Image) -> torch.Tensor:
        pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        pixels = pixels.view(picture.size[1], picture.size[0], 1)
        return pixels.permute((2, 0, 1)).contiguous().to(torch.float32).div(255)

    def _normalised(self, image: torch.Tensor) -> torch.Tensor:
        image = image.clone()
        mean, sd = torch.as_tensor(self.mean), torch.as_tensor(self.sd)
        if (sd == 0).any():
            raise ValueError("sd: 0 cannot divide")
        return image.sub_(mean.view(-1, 1, 1)).div_(sd.view(-1, 1, 1))


def with_loader(data: xr.Dataset, setup: NetworkSetup, steps: int) -> float:
    """Milliseconds a step of one network fed by a per-sample data loader."""
    loader = DataLoader(OneByOne(data), batch_size=setup.batch_size, shuffle=True)
    return _loop(setup, iter(loader), steps)


def in_memory(images: torch.Tensor, labels: torch.Tensor, setup: NetworkSetup, steps: int) -> float:
    """Milliseconds a step of one network fed by slices of tensors in memory."""
    order = torch.randperm(len(images)).split(setup.batch_size)
    return _loop(setup, ((images[batch], labels[batch]) for batch in order), steps)


def _loop(
    setup: NetworkSetup, batches: Iterable[tuple[torch.Tensor, torch.Tensor]], steps: int
) -> float:
    network = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(setup.data.pixels, setup.hidden_widths[0], bias=False),
        torch.nn.ReLU(),
        torch.nn.Linear(setup.hidden_widths[0], CLASSES, bias=False),
        torch.nn.LogSoftmax(dim=1),
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=setup.learning_rate)
    output = network[3].weight
    snapshots = []
    start = time.perf_counter()
    for _, (images, labels) in zip(range(steps), batches, strict=False):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(network(images), labels).backward()
        optimizer.step()
        snapshots.append(output.detach().numpy().flatten())
    assert len(snapshots) == steps, "the data set is too small for so many steps"
    return 1e3 * (time.perf_counter() - start) / steps


def batched(data: xr.Dataset, setup: NetworkSetup) -> float:
    """Milliseconds a network and step of the whole ensemble, snapshots included."""
    # The loops measure no accuracy: ten samples make it cost nothing here.
    pieces = train(setup, data.isel(test_sample=slice(10)), steps_per_chunk(setup), device="cpu")
    next(pieces)  # the data are in memory now, as they are for the loops
    start = time.perf_counter()
    states = sum(piece.losses.size for piece in pieces if isinstance(piece, Block))
    elapsed = time.perf_counter() - start
    assert states == len(setup.seeds) * setup.initialisations * setup.steps
    return 1e3 * elapsed / states


def main() -> None:
    """Measure the three ways and print their ratios."""
    quick = arguments(__doc__).quick
    scale = 20 if quick else 1
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    steps = ENSEMBLE_STEPS // scale
    setup = NetworkSetup(
        data=DataSpec("mnist", "mnist"),
        hidden_widths=(40,),
        batch_size=60,
        steps=steps,
        evaluate_every=steps,
        seeds=tuple(range(1, SEEDS + 1)),
    )
    data = load(setup.data)
    images = torch.as_tensor(standardised(data, "train"))
    labels = torch.as_tensor(data["train_labels"].values.astype(np.int64))
    rounds = 1 if quick else ROUNDS
    times = alternate(
        {
            "loader": partial(with_loader, data, setup, LOADER_STEPS // scale),
            "loop": partial(in_memory, images, labels, setup, LOOP_STEPS // scale),
            "koopscope": partial(batched, data, setup),
        },
        {},
        rounds,
    )
    networks = len(setup.seeds) * setup.initialisations
    print(
        f"784-40-10, batch 60, MNIST; {THREADS} threads for everyone; the ways take turns, "
        f"medians of {rounds}"
    )
    print(f"  {'per-sample loader':<34}{times['loader']:>9.4f} ms per network and step")
    print(f"  {'loop over tensors in memory':<34}{times['loop']:>9.4f} ms")
    print(f"  {f'koopscope, {networks} networks':<34}{times['koopscope']:>9.4f} ms")
    by_loader = times["loader"] / times["koopscope"]
    print(judged("rate, koopscope / per-sample loader", by_loader, LOADER_TARGET, quick))
    print(judged("the same, as aimed at", by_loader, LOADER_AIM, quick))
    by_loop = times["loop"] / times["koopscope"]
    print(judged("rate, koopscope / loop in memory", by_loop, LOOP_TARGET, quick))


if __name__ == "__main__":
    main()
