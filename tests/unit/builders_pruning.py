"""A pruning experiment as the library joins it, with numbers that can be checked by hand."""

import numpy as np
import xarray as xr

METHODS = ("koopman_magnitude", "magnitude", "window_mean", "random")
PAIRS = (
    "koopman_magnitude / magnitude",
    "koopman_magnitude / window_mean",
    "magnitude / window_mean",
    "koopman_magnitude / late_magnitude",
    "magnitude / late_magnitude",
    "window_mean / late_magnitude",
)
LAYERS = ("conv1.weight", "fc1.weight")


def pruning_store() -> xr.Dataset:
    """Three seeds, epochs 1 and 5, compressions 4 and 16; one window of epoch 1 is refused."""
    seeds, epochs, compressions = [1, 2, 3], [1, 5], [4.0, 16.0]
    by_seed = np.array([-0.01, 0.0, 0.01])
    jaccard = np.empty((3, 2, len(PAIRS), 2))
    level = {1: [0.7, 0.8, 0.9, 0.5, 0.6, 0.55], 5: [0.99, 0.98, 0.97, 0.99, 1.0, 0.97]}
    for e, epoch in enumerate(epochs):
        for p, mean in enumerate(level[epoch]):
            # The same in all seeds where it is 1, that is, of a set with itself.
            spread = by_seed * (mean < 1)
            jaccard[:, e, p] = mean + spread[:, None] * [1, 2] * (1 if epoch == 1 else 0.1)
    accuracy = np.full((3, 2, len(METHODS), 2, 2), np.nan)
    accuracy[..., 0] = np.array([0.80, 0.90, 0.85, 0.10])[None, None, :, None]
    accuracy[:, :, :3, 1, 1] = 0.95
    accuracy += by_seed[:, None, None, None, None]
    # Koopman magnitude beats the window mean after refinement by 0.02, whatever the seed.
    accuracy[:, :, 0, 1, 1] += 0.02
    eigenvalue = np.array([[1.01, 1.001], [1.02, 0.999], [np.nan, 1.0005]], dtype=complex)
    refused = np.full((3, 2), "", dtype=object)
    refused[2, 0] = "window: no eigenvalue within 0.05 of 1"
    kept = np.broadcast_to([0.5, 0.05], (3, 2, len(METHODS), 2, 2)).copy()
    grid = ("seed", "epoch")
    return xr.Dataset(
        {
            "jaccard": ((*grid, "pair", "compression"), jaccard),
            "jaccard_by_chance": ((*grid, "compression"), np.full((3, 2, 2), [0.143, 0.032])),
            "spearman": ((*grid, "pair"), jaccard[..., 0]),
            "accuracy": ((*grid, "score", "compression", "moment"), accuracy),
            "loss": ((*grid, "score", "compression", "moment"), 1 - accuracy),
            "accuracy_unpruned": (grid, np.full((3, 2), 0.96) + by_seed[:, None]),
            "loss_unpruned": (grid, np.full((3, 2), 0.1)),
            "kept": ((*grid, "score", "compression", "layer"), kept),
            "eigenvalue": (grid, eigenvalue),
            "residual": (grid, np.abs(eigenvalue - 1) / 10),
            "second_eigenvalue": (grid, eigenvalue - 0.1),
            "second_residual": (grid, np.abs(eigenvalue - 1)),
            "gap": (grid, np.full((3, 2), 0.08)),
            "decaying_share": (grid, np.abs(eigenvalue - 1) * 20),
            "refused": (grid, refused),
        },
        coords={
            "seed": seeds,
            "epoch": epochs,
            "pair": list(PAIRS),
            "score": list(METHODS),
            "compression": compressions,
            "moment": ["before", "after"],
            "layer": list(LAYERS),
        },
        attrs={"study": "early_and_late", "question": "Which weights?"},
    )
