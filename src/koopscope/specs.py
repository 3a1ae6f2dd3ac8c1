"""Data sets and Koopman fits by definition: the parts of a setup that stand on their own.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from koopscope.errors import InputError
from koopscope.provenance import digest, short

if TYPE_CHECKING:
    from koopscope.setup import Setup

PIXELS = {"mnist": 28 * 28, "digits": 8 * 8, "cifar10": 3 * 32 * 32}
TRAIN_SAMPLES = {"mnist": 60_000, "digits": 1_437, "cifar10": 50_000}
TEST_SAMPLES = {"mnist": 10_000, "digits": 360, "cifar10": 10_000}
# Made from another data set; the last two say the same in other words (controls).
DERIVED = ("synthetic", "permuted", "relabelled")
SOLVERS = ("auto", "full", "hankel", "gram", "covariance")
OBSERVABLES = ("weights", "sketch", "probe")


@dataclass(frozen=True)
class DataSpec:
    """A data set by definition, not by content.

    ``kind`` is ``"mnist"``, ``"digits"`` or ``"cifar10"``, or made from the data set ``like``:
    ``"synthetic"`` copies its per-pixel mean and variance, ``"permuted"`` shuffles its pixels, the
    same way in every image, ``"relabelled"`` shuffles the names of its classes. ``difficulty`` in
    [0, 1) is the share of a synthetic set's variance that says nothing about the class; ``seed``
    draws what is random in a derived set.
    """

    name: str
    kind: str
    like: "DataSpec | None" = None
    difficulty: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        one_of(f"data.{self.name}.kind", self.kind, (*PIXELS, *DERIVED))
        if (self.kind in DERIVED) != (self.like is not None):
            raise InputError(
                f"data.{self.name}.like: {self.like and self.like.name!r}; a {', '.join(DERIVED)} "
                "data set, and only such a one, names the data set that it is made from"
            )
        if not 0 <= self.difficulty < 1:
            raise InputError(f"data.{self.name}.difficulty: {self.difficulty} is not in [0, 1)")

    @property
    def pixels(self) -> int:
        """Length of one input vector."""
        return self.like.pixels if self.like else PIXELS[self.kind]

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

    def canonical(self) -> dict[str, Any]:
        """What the data depend on; the name does not count."""
        if self.like is None:
            return {"kind": self.kind}
        made = {"kind": self.kind, "like": self.like.canonical(), "seed": self.seed}
        return made | ({"difficulty": self.difficulty} if self.kind == "synthetic" else {})

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        return f"{self.name}.{short(digest(self.canonical()))}"


def data_from(canonical: Mapping[str, Any]) -> DataSpec:
    """Rebuild a data set's definition from its canonical form; its kind becomes its name."""
    like = canonical.get("like")
    return DataSpec(
        **{"name": canonical["kind"]}
        | dict(canonical)
        | {"like": data_from(like) if like else None}
    )


@dataclass(frozen=True)
class FitSpec:
    """How a Koopman spectrum is estimated, and from which part of the trajectories.

    Parameters
    ----------
    delays, rank, solver
        See :func:`koopscope.koopman.fit`.
    observable
        ``"weights"``: the recorded layers or coordinates; ``"sketch"`` or ``"sketch:LAYER"``: the
        random projection of all layers or of one; ``"probe"``: loss and logits on the probe set.
    start, stop
        Window of snapshots, as a slice; the whole run by default.
    every
        Snapshots from one to the next that is used: eigenvalues are those of so many steps.
    initialisations
        The first so many of each seed; all by default.
    seeds
        The first so many of the setup's; all by default.
    resamples
        Refits of the first seed on initialisations drawn with replacement, to show its spread.
    """

    delays: int = 0
    rank: int | None = None
    solver: str = "auto"
    observable: str = "weights"
    start: int = 0
    stop: int | None = None
    every: int = 1
    initialisations: int | None = None
    seeds: int | None = None
    resamples: int = 0

    def __post_init__(self) -> None:
        """Refuse what no data could serve."""
        one_of("solver", self.solver, SOLVERS)
        if self.delays < 0:
            raise InputError(f"delays: {self.delays} is negative; give 0 or more")
        for name in ("rank", "initialisations", "seeds"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))
        positive("every", self.every)
        if self.resamples < 0:
            raise InputError(f"resamples: {self.resamples} is negative; give 0 or more")
        one_of("observable", self.observable.partition(":")[0], OBSERVABLES)
        if self.start < 0 or (self.stop is not None and self.stop <= self.start):
            raise InputError(f"start, stop: {self.start}, {self.stop} is no window of a run")

    def check(self, setup: "Setup") -> None:
        """Refuse a fit that the trajectories of a setup cannot give.

        Raises
        ------
        InputError
            If the observable is not recorded, the window leaves the run, or there are not enough
            states for the delays, or not enough data for the rank.
        """
        features = setup.features(self.observable)
        if self.stop is not None and self.stop > setup.states:
            raise InputError(f"stop: {self.stop} is beyond the {setup.states} states of a run")
        for name, there in (
            ("initialisations", setup.initialisations),
            ("seeds", len(setup.seeds)),
        ):
            if (getattr(self, name) or 0) > there:
                raise InputError(
                    f"{name}: the fit asks for {getattr(self, name)}, the setup has {there}"
                )
        states = len(range(*self.window.indices(setup.states)))
        pairs = states - self.delays - 1
        if pairs < 1:
            raise InputError(
                f"delays: {self.delays} delays need at least {self.delays + 2} states, "
                f"but a run has {states}; give at most {max(states - 2, 0)}"
            )
        runs = self.initialisations or setup.initialisations
        largest = min((self.delays + 1) * features, pairs * runs)
        if self.rank is not None and self.rank > largest:
            raise InputError(
                f"rank: {self.rank} is more than the data can give; give at most {largest}"
            )

    @property
    def window(self) -> slice:
        """Snapshots that the fit reads."""
        return slice(self.start, self.stop, self.every)

    def canonical(self) -> dict[str, Any]:
        """What the spectra depend on, as JSON values."""
        return asdict(self)

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = f"d{self.delays}-r{self.rank or 'max'}-{self.solver}"
        return f"{readable}.{short(digest(self.canonical()))}"


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Refuse what is not one of the allowed."""
    if value not in allowed:
        raise InputError(f"{name}: unknown {value!r}; give one of {', '.join(allowed)}")


def each_once(name: str, values: Iterable[Any], allowed: tuple[str, ...] | None = None) -> None:
    """Refuse an empty list, values that stand twice, and what is not one of the allowed."""
    seen = set()
    for value in values:
        if allowed is not None:
            one_of(name, value, allowed)
        if value in seen:
            raise InputError(f"{name}: {value} stands twice; give each once")
        seen.add(value)
    if not seen:
        raise InputError(f"{name}: none; give at least one")


def only_keys(where: str, given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse keys of an entry of this kind that are not known."""
    known = list(known)
    for key in given:
        if key not in known:
            raise InputError(f"{where}.{key}: no key of {what}; it has {', '.join(known)}")


def positive(name: str, value: int) -> None:
    """Refuse what is not a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name}: {value!r} is not a positive whole number")


def above_zero(name: str, value: float) -> None:
    """Refuse what is not a finite number above 0."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name}: {value!r} is not a number above 0")


def as_tuple(value: Any) -> Any:
    """List of a configuration or of JSON as a tuple, which a frozen value needs; others as is."""
    return tuple(value) if isinstance(value, list) else value
