"""What a user with a type checker writes: ``make lint`` checks it, nothing runs it."""

from typing import Any

import lightning
import numpy as np
import torch
import transformers
import xarray as xr

import koopscope as ks
from koopscope.compare import adjusted, compare
from koopscope.integrations.huggingface import WatchCallback as HuggingFaceWatch
from koopscope.integrations.lightning import WatchCallback as LightningWatch

runs = [np.ones((10, 3)), np.ones((12, 3))]
spectrum: ks.Spectrum = ks.fit(runs, delays=2, rank=4)
whole: ks.Spectrum = ks.fit(runs, rank="all")
eigenvalues: np.ndarray = spectrum.eigenvalues
distance: float = ks.wasserstein(spectrum, [1, 0.5])
distances: np.ndarray = ks.distance_matrix([spectrum, [1, 0.5]])
found: ks.Comparison = compare(distances, range(4), [4, 5, 6, 7])
words: tuple[str, str] = found.verdict(0.05, 1.1), found.reason(0.05, 1.1)
p: np.ndarray = adjusted([0.01, 0.04], "holm")

model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
monitor = ks.KoopmanMonitor(model)
monitor.follow(optimizer)
monitor.log_loss(torch.ones(()))
status: str = monitor.verdict().status
if monitor.ready:
    row: dict[str, Any] = monitor.metrics(prefix="", numbers_only=True)
    reasons = [line["reason"] for line in monitor.history]
ks.KoopmanMonitor(model, rank="auto", history_file="runs/sgd.jsonl").load_state_dict(
    monitor.state_dict()
)
callbacks: list[lightning.Callback] = [LightningWatch(every=10, stop_at=["diverging"])]
others: list[transformers.TrainerCallback] = [
    HuggingFaceWatch(lambda m: ks.KoopmanMonitor(m, window=8))
]
with ks.record(model, "runs/sgd/0", optimizer=optimizer, seed=0) as recorder:
    recorder.log(loss=torch.ones(()))
scores: xr.DataArray = ks.koopman_magnitude(xr.DataArray(np.ones((10, 3)), dims=("step", "weight")))
loss: torch.Tensor = ks.SobolevLoss(1.0, grid=(16,))(torch.zeros(16), torch.ones(16))
layers: int = ks.predict_layers(np.ones(64), 0.1)
ks.HierarchicalSVR(depth="auto").fit(np.ones((9, 1)), np.ones(9))
ks.KoopmanRegressor(delays=1).fit(np.ones((9, 2)))
