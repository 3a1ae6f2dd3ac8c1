"""Similarity of what networks answer over time: linear CKA of the outputs on fixed samples."""

import numpy as np
import xarray as xr

from koopscope.experiments.known_answers.methods.answer import ByDistance
from koopscope.experiments.known_answers.methods.curves import no_distances

# Of each run so many snapshots count, evenly spaced: the Gram matrix of a run has their square.
MOST_STEPS = 50


def cka_distances(runs: xr.Dataset) -> np.ndarray:
    """1 − linear CKA of the runs' outputs over time (Kornblith et al. 2019).

    A run's representation is its logits on the fixed samples, one row a snapshot, centred over the
    snapshots; initialisations stand beside one another as further columns. So a rotation of the
    logits, one scale for all of them and another order of samples leave it alone. [ours] CKA is
    meant for two layers on the same samples; here the same moments of training stand for these.

    Parameters
    ----------
    runs
        With ``probe`` (seed, init, step, response): the mean loss, which is left out, then logits
        (:func:`koopscope.training.recording.record`); all NaN without it.

    Returns
    -------
    numpy.ndarray
        Shape (seed, seed), from 0 to 1; NaN for a run with outputs that are not finite or never
        change.
    """
    if "probe" not in runs or runs.sizes["response"] < 2:
        return no_distances(runs)
    probe = runs["probe"].transpose("seed", "step", "init", "response")
    every = -(-probe.sizes["step"] // MOST_STEPS)
    logits = probe[:, ::every, :, 1:]
    grams = np.stack([_gram(run.values.astype(float)) for run in logits])
    similarity = grams @ grams.T
    distances = np.clip(1 - (similarity + similarity.T) / 2, 0, None)
    np.fill_diagonal(distances, 0)
    return distances


def _gram(logits: np.ndarray) -> np.ndarray:
    """Products of a run's centred snapshots, as one row of length 1."""
    rows = logits.reshape(len(logits), -1)
    # A constant keeps only the rounding of its mean, which is no direction.
    scale = np.abs(rows).max(initial=0.0)
    rows = rows - rows.mean(axis=0)
    if not np.abs(rows).max(initial=0.0) > 1e-12 * scale:
        return np.full(len(rows) ** 2, np.nan)
    gram = (rows @ rows.T).ravel()
    return gram / np.linalg.norm(gram)


METHODS = {"output_cka": ByDistance(cka_distances)}
