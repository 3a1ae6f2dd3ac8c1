"""Studies: a question, the variants that answer it, and the pairs that are compared.

A study is configuration only: :func:`studies_from` turns a checked mapping into frozen values.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from koopscope.errors import InputError
from koopscope.setup import NetworkSetup, OnlineSetup, Setup, Variant, setup_from
from koopscope.specs import DataSpec, FitSpec


@dataclass(frozen=True)
class Pair:
    """Two variants to compare.

    ``expected`` says what is known beforehand (``"equivalent"``, ``"different"``) or that nothing
    is (``"open"``); ``because`` says why.
    """

    first: str
    second: str
    expected: str = "open"
    because: str = ""


@dataclass(frozen=True)
class Study:
    """A question with its variants and pairs."""

    name: str
    question: str
    variants: tuple[Variant, ...]
    pairs: tuple[Pair, ...]

    def canonical(self) -> dict[str, Any]:
        """What its comparison depends on, as JSON values."""
        return {
            "name": self.name,
            "question": self.question,
            "variants": [
                {"name": v.name, "setup": v.setup.canonical(), "fit": asdict(v.fit)}
                for v in self.variants
            ],
            "pairs": [asdict(pair) for pair in self.pairs],
        }


def data_specs(config: Mapping[str, Any]) -> dict[str, DataSpec]:
    """Definitions of the data sets in ``config["data"]`` by name.

    Raises
    ------
    InputError
        If a data set is like an unknown one, or like itself over a chain.
    """
    entries = config["data"]

    def build(name: str, chain: tuple[str, ...]) -> DataSpec:
        if name in chain:
            raise InputError(f"data.{name}.like: {' → '.join((*chain, name))} runs in a circle")
        fields = {k: v for k, v in entries[name].items() if k != "path"}
        like = fields.get("like")
        if like is not None:
            if like not in entries:
                raise InputError(_unknown(f"data.{name}.like", like, entries))
            fields["like"] = build(like, (*chain, name))
        return DataSpec(name, **fields)

    return {name: build(name, ()) for name in entries}


def studies_from(config: Mapping[str, Any]) -> dict[str, Study]:
    """Studies of a configuration that fits the schema, by name.

    Raises
    ------
    InputError
        With the key, the value and the remedy, if a study cannot be run as it is written.
    """
    data = data_specs(config)
    return {name: _study(name, entry, data) for name, entry in config["studies"].items()}


def study_from(canonical: Mapping[str, Any]) -> Study:
    """Rebuild a study from its canonical form."""
    return Study(
        canonical["name"],
        canonical["question"],
        tuple(
            Variant(v["name"], setup_from(v["setup"]), FitSpec(**v["fit"]))
            for v in canonical["variants"]
        ),
        tuple(Pair(**pair) for pair in canonical["pairs"]),
    )


def setups_of(studies: Mapping[str, Study]) -> dict[str, Setup]:
    """Every setup of the studies once, by id."""
    return {v.setup.id: v.setup for study in studies.values() for v in study.variants}


def _study(name: str, entry: Mapping[str, Any], data: Mapping[str, DataSpec]) -> Study:
    where = f"studies.{name}"
    kinds = [kind for kind in ("network", "online") if kind in entry]
    if len(kinds) != 1:
        raise InputError(f"{where}: has {kinds or 'no base'}; give one of network, online")
    kind = kinds[0]
    variants = []
    for variant, changes in entry["variants"].items():
        changes = dict(changes or {})
        fit = entry.get("fit", {}) | changes.pop("fit", {})
        try:
            setup = _setup(kind, entry[kind] | changes, data)
            variants.append(Variant(variant, setup, FitSpec(**fit)))
        except InputError as error:
            raise InputError(f"{where}.variants.{variant}: {error}") from None
        except TypeError as error:
            key = str(error).split("'")[1]
            raise InputError(f"{where}.variants.{variant}.{key}: no key of {kind}") from None
    return Study(name, entry["question"], tuple(variants), _pairs(where, entry, variants))


def _setup(kind: str, fields: Mapping[str, Any], data: Mapping[str, DataSpec]) -> Setup:
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    if kind == "online":
        return OnlineSetup(**fields)
    if fields.get("data") not in data:
        raise InputError(_unknown("data", fields.get("data"), data))
    return NetworkSetup(**fields | {"data": data[fields["data"]]})


def _pairs(where: str, entry: Mapping[str, Any], variants: list[Variant]) -> tuple[Pair, ...]:
    names = [variant.name for variant in variants]
    if "pairs" not in entry:
        return tuple(Pair(a, b) for a, b in combinations(names, 2))
    pairs = tuple(Pair(**pair) for pair in entry["pairs"])
    seen = set()
    for i, pair in enumerate(pairs):
        for name in (pair.first, pair.second):
            if name not in names:
                raise InputError(_unknown(f"{where}.pairs[{i}]", name, names))
        if pair.first == pair.second or frozenset((pair.first, pair.second)) in seen:
            raise InputError(
                f"{where}.pairs[{i}]: {pair.first} and {pair.second} are one variant "
                "or stand in the list already; give each pair of variants once"
            )
        seen.add(frozenset((pair.first, pair.second)))
    return pairs


def _unknown(where: str, value: Any, known: Any) -> str:
    return f"{where}: unknown {value!r}; give one of {', '.join(known)}"
