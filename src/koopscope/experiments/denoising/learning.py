"""What a network learns when: tones that reach half their size, Koopman modes of its outputs."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import spearmanr

from koopscope.errors import InputError
from koopscope.experiments.denoising.waves import Waves, tones_of
from koopscope.koopman.fitting import fit

# [ours] A tone counts as learned from half its amplitude on.
LEARNED = 0.5


def tones(waves: Waves) -> dict[int, np.ndarray]:
    """By wave number 1, 3, 9, …: which coefficients of a grid count as this tone.

    Those within a tenth of the wave number; in a plane within one, as directions are rounded to
    whole numbers.
    """
    near = {
        k: np.abs(waves.numbers - k) <= (0.1 * k if len(waves.shape) == 1 else 0.75)
        for k in tones_of(min(waves.shape))
    }
    return {k: chosen for k, chosen in near.items() if chosen.any()}


def shares(waves: Waves, clean: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Share of each tone's amplitude in the outputs, in phase with the clean values.

    Parameters
    ----------
    waves
        Of the grid.
    clean, outputs
        Values, shapes (*grid) and (…, *grid).

    Returns
    -------
    numpy.ndarray
        Shape (…, tone): 1 for all of it; NaN for a tone that is not there.
    """
    own, found = waves.coefficients(clean), waves.coefficients(outputs)
    columns = []
    for chosen in tones(waves).values():
        size = (np.abs(own[chosen]) ** 2).sum()
        product = (found[..., chosen] * own[chosen].conj()).real.sum(axis=-1)
        # What is rounding only is no tone.
        there = size > 1e-12 * clean.size
        columns.append(product / size if there else np.full(product.shape, np.nan))
    return np.stack(columns, axis=-1)


def learned_at(steps: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """First recorded step from which on each share stays one half or more; NaN if none is.

    Under noise a share passes one half by chance as well, so the first passage says nothing.

    Parameters
    ----------
    steps
        Shape (record,).
    reached
        Shape (record, …).
    """
    short = ~(reached >= LEARNED)
    # One after the last record at which it fell short.
    first = np.where(short.any(axis=0), len(steps) - short[::-1].argmax(axis=0), 0)
    there = first < len(steps)
    return np.where(there, steps[np.where(there, first, 0)].astype(float), np.nan)


def koopman_modes(
    waves: Waves, outputs: np.ndarray, record_every: int, rank: int
) -> dict[str, np.ndarray]:
    """Koopman modes of a training run's outputs: how long each lasts, and how fine it is.

    Parameters
    ----------
    waves
        Of the grid.
    outputs
        One snapshot every so many steps, shape (record, *grid).
    record_every
        Steps between records.
    rank
        Directions kept, at most.

    Returns
    -------
    dict of numpy.ndarray
        Shape (rank,), NaN for modes that the data do not give: ``eigenvalue`` (complex, a step of
        ``record_every``), ``residual``, ``time_constant`` (−record_every ÷ ln |λ| steps,
        infinite from |λ| = 1 on) and ``mode_number`` (geometric mean of the wave numbers, weighted
        by the mode's power; the constant counts as half a period).
    """
    found = {
        "eigenvalue": np.full(rank, np.nan, complex),
        **{name: np.full(rank, np.nan) for name in ("residual", "time_constant", "mode_number")},
    }
    flat = outputs.reshape(len(outputs), -1).astype(float)
    if not np.isfinite(flat).all():
        return found
    try:
        spectrum = fit([flat], rank=min(rank, len(flat) - 1, flat.shape[1]), solver="full")
    except InputError:  # constant, or fewer directions than asked for
        return found
    modes = spectrum.modes().values[:, 0].reshape(-1, *waves.shape)
    power = np.abs(waves.coefficients(modes.real)) ** 2
    power = power + np.abs(waves.coefficients(modes.imag)) ** 2
    power = power.reshape(len(modes), -1)
    numbers = np.log(np.maximum(waves.numbers, 0.5)).ravel()
    modulus = np.abs(spectrum.eigenvalues)
    with np.errstate(divide="ignore"):
        memory = np.where(modulus < 1, -record_every / np.log(np.minimum(modulus, 1)), np.inf)
    made = {
        "eigenvalue": spectrum.eigenvalues,
        "residual": spectrum.residuals,
        "time_constant": memory,
        "mode_number": np.exp(power @ numbers / power.sum(axis=1)),
    }
    for name, values in made.items():
        found[name][: len(values)] = values
    return found


def order(modes: Mapping[str, np.ndarray]) -> float:
    """Rank correlation of modes' time constants with wave numbers: 1 if what is fine comes last.

    NaN with fewer than three modes. The longest-lived mode is left out: it is what remains.
    """
    kept = np.isfinite(modes["mode_number"])
    memory, number = modes["time_constant"][kept], modes["mode_number"][kept]
    last = memory < memory.max(initial=0)
    if last.sum() < 3 or len(set(number[last])) < 2 or len(set(memory[last])) < 2:
        return float("nan")
    return float(spearmanr(memory[last], number[last]).statistic)
