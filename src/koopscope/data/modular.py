"""Arithmetic modulo a number: all there is to learn is known, and part of it is kept back to test.

Networks that know the training pairs by heart long before they answer the others ("grokking") were
found on such sets: A. Power et al. (2022), arXiv:2201.02177; of fully connected networks on one-hot
inputs: A. Gromov (2023), arXiv:2301.02679.
"""

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from koopscope.config.data import MODULAR, ONEHOT, RENAMED, TOKENS, DataSpec
from koopscope.data import dataset
from koopscope.data.controls import derangement
from koopscope.errors import InputError, finite_number, whole_number

GENERATOR, RENAMING = "modular-arithmetic", "element-derangement"
OPERATIONS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "square_sum": lambda a, b: a * a + b * b,
}


def modular_arithmetic(
    modulus: int = 97,
    operation: str = "add",
    train_share: float = 0.5,
    encoding: str = ONEHOT,
    seed: int = 0,
) -> xr.Dataset:
    """Every pair of elements with its answer, split at random.

    A permutation of all pairs (a, b), in their order, is drawn; the first of them train. (a, b) and
    (b, a) are two pairs, of which one may train and the other test.

    Parameters
    ----------
    modulus
        Number p of elements 0 to p - 1, which are the classes too; from 3 to 250.
    operation
        ``"add"``, ``"subtract"``, ``"multiply"`` or ``"square_sum"`` (a² + b²), modulo p.
    train_share
        Share of the p² pairs that train, in (0, 1); their number is rounded.
    encoding
        ``"onehot"``: 2p zeros and ones, with ones at a and p + b. ``"tokens"``: the numbers a, b
        and p, where p stands for an equals sign.
    seed
        Of the generator (``np.random.default_rng``) that draws the permutation.

    Returns
    -------
    xr.Dataset
        In the common form (:func:`koopscope.data.make`), uint8. ``mean`` is 0 and ``sd`` 1, so that
        a network sees the numbers as they are.

    Raises
    ------
    InputError
        If an argument is out of its bounds, or a split has no pair.

    Examples
    --------
    >>> from koopscope.data import modular_arithmetic
    >>> ds = modular_arithmetic(5, train_share=0.6, encoding="tokens")
    >>> dict(ds.sizes), ds.attrs["classes"]
    ({'train_sample': 15, 'pixel': 3, 'test_sample': 10}, 5)
    >>> a, b, equals = ds["train_images"].astype(int).values.T
    >>> bool((ds["train_labels"] == (a + b) % 5).all()), set(equals.tolist())
    (True, {5})
    """
    modulus, seed = whole_number("modulus", modulus, 3), whole_number("seed", seed, 0)
    finite_number("train_share", train_share)
    spec = DataSpec(
        MODULAR,
        MODULAR,
        modulus=modulus,
        operation=operation,
        train_share=float(train_share),
        encoding=encoding,
        seed=seed,
    )
    a, b = np.divmod(np.arange(modulus**2), modulus)
    answers = (OPERATIONS[operation](a, b) % modulus).astype(np.uint8)
    if encoding == TOKENS:
        questions = np.stack([a, b, np.full_like(a, modulus)], axis=1).astype(np.uint8)
    else:
        one = np.eye(modulus, dtype=np.uint8)
        questions = np.concatenate([one[a], one[b]], axis=1)
    order = np.random.default_rng(seed).permutation(modulus**2)
    train, test = order[: spec.train_samples], order[spec.train_samples :]
    return dataset.make(
        questions[train],
        answers[train],
        questions[test],
        answers[test],
        kind=MODULAR,
        manifest={"generator": GENERATOR} | spec.to_dict(),
        classes=modulus,
        mean=0.0,
        sd=1.0,
    )


def rename(like: xr.Dataset, seed: int) -> xr.Dataset:
    """Give every element of modular arithmetic another name, in questions and answers alike.

    With a permutation π without fixed points the sample (a, b) → c becomes (π a, π b) → π c. A
    network whose first weights are drawn independently meets both sets with the same law: of
    one-hot inputs π permutes the rows of its first matrix, and the columns of its last.

    Parameters
    ----------
    like
        Modular arithmetic, or a renamed set of it (:func:`modular_arithmetic`).
    seed
        Of the generator (``np.random.default_rng``) that draws π, all derangements being equally
        likely.

    Returns
    -------
    xr.Dataset
        In the common form, with the order of samples, so the split too, the ``mean`` and ``sd`` of
        ``like``.

    Raises
    ------
    InputError
        If ``like`` has no elements, or the seed is not a whole number of at least 0.

    Examples
    --------
    >>> from koopscope.data import modular_arithmetic, rename
    >>> original = modular_arithmetic(5, encoding="tokens")
    >>> control = rename(original, seed=0)
    >>> bool((control["train_labels"] == original["train_labels"]).any())
    False
    >>> set(control["train_images"].values[:, 2].tolist())
    {5}
    """
    if like.attrs["kind"] not in (MODULAR, RENAMED):
        raise InputError(
            f"like: {like.attrs['kind']} data have no elements to rename; give modular arithmetic"
        )
    dataset.check_seed(seed)
    modulus = like.attrs["classes"]
    names = derangement(modulus, seed)
    tokens = like.sizes["pixel"] == 3
    if tokens:
        # The equals sign keeps its number.
        table = np.append(names, np.uint8(modulus))
    else:
        own = np.argsort(names)
        order = np.concatenate([own, modulus + own])
    changed = {}
    for split in dataset.SPLITS:
        images, labels = like[f"{split}_images"].values, like[f"{split}_labels"].values
        changed[f"{split}_images"] = table[images] if tokens else images[:, order]
        changed[f"{split}_labels"] = names[labels]
    return dataset.make(
        **changed,
        kind=RENAMED,
        manifest={"generator": RENAMING, "seed": int(seed), "like": like.attrs["digest"]},
        classes=modulus,
        mean=like.attrs["mean"],
        sd=like.attrs["sd"],
    )
