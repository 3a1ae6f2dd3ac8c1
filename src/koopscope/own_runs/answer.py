"""What a comparison of runs says, in words, figures and a page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from koopscope.artefacts import store
from koopscope.compare.modes import moved_most
from koopscope.compare.power import seeds_needed
from koopscope.compare.verdict import Comparison
from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.experiments.equivalence.comparison import NUMBERS, finite, groups_of
from koopscope.experiments.equivalence.pairs import pairs
from koopscope.experiments.equivalence.reliability import sensitivity_facts
from koopscope.experiments.equivalence.wording import interval
from koopscope.report.datasets import plain
from koopscope.report.numbers import number

if TYPE_CHECKING:
    from koopscope.own_runs.page import Figures

# Ways to estimate that may overturn a verdict; a layer by itself is another question.
LAYER = "layer "
MEANING = (
    "Distinguished: the spectra differ by more than seeds do. Not distinguished: a difference, if "
    "there is one, is too small to count; equal spectra are necessary for conjugate training, not "
    "sufficient. Inconclusive: neither can be said of so few seeds."
)


@dataclass(frozen=True)
class RunsComparison:
    """What :func:`koopscope.compare_runs` found. Print it for the answer.

    Attributes
    ----------
    comparison
        Spectra of all runs, their distances, and a verdict for each pair, as
        :func:`koopscope.experiments.equivalence.comparison.compare_study` gives them.
    sensitivity
        What other ways to estimate say, dims (alternate, pair); None if they were not asked for.
    parts
        Verdicts by window and layer, dims (part, pair); None if they were not asked for.
    provenance
        Versions of the runs, of the choices and of the code.
    """

    comparison: xr.Dataset
    sensitivity: xr.Dataset | None
    parts: xr.Dataset | None
    provenance: Mapping[str, Any]

    @cached_property
    def facts(self) -> dict[str, Any]:
        """All that is said, as plain values for JSON.

        Returns
        -------
        dict
            ``pairs``, a list with verdict, numbers, ``answer`` (in a sentence), ``fragile`` (the
            ways to estimate that say otherwise), ``needed`` (seeds, reason) and ``moved``;
            ``compared``, ``fitted``, ``notes``, ``sensitivity``, ``parts``, ``provenance``.
        """
        attrs = self.comparison.attrs
        rows = pairs(self.comparison)
        for i, row in enumerate(rows):
            row["fragile"] = self._overturned(i)
            row["needed"] = self._needed(i, len(rows))
            row["moved"] = [moved.to_dict() for moved in self._moved(row)]
            row["smallest_p"] = self._comparison(i).smallest_p
            row["answer"] = _answer(row)
            row["sentence"] = row["answer"]
        return {
            "pairs": rows,
            "compared": attrs["compared"],
            "fitted": json.loads(attrs["chosen"]),
            "groups": json.loads(attrs["sources"]),
            "alpha": attrs["alpha"],
            "smallest_effect": attrs["smallest_effect"],
            "notes": json.loads(attrs["notes"]),
            "sensitivity": self.sensitivity and sensitivity_facts(self.sensitivity),
            "parts": self.parts and _part_rows(self.parts),
            "provenance": dict(self.provenance),
        }

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdict of each pair by its name."""
        return {row["name"]: row["verdict"] for row in self.facts["pairs"]}

    def __str__(self) -> str:
        """Return the answer, what it rests on, and what would settle it."""
        facts = self.facts
        blocks = ["\n".join(_pair_lines(row) for row in facts["pairs"])]
        fitted = facts["fitted"]
        blocks.append(
            f"Compared: {facts['compared']}.\n"
            f"Fitted: delays {fitted['delays']}, rank {fitted['rank']}, the same for all runs "
            f"({fitted['reason']})."
        )
        if facts["parts"]:
            count = len(facts["parts"])
            blocks.append(
                f"Parts of the runs, p corrected over all {count} tests together:\n"
                + aligned(parts_rows(facts["parts"]))
            )
        if facts["sensitivity"]:
            rows = sensitivity_rows(facts["sensitivity"])
            blocks.append("Other ways to estimate, effect [95 %] and verdict:\n" + aligned(rows))
        if facts["notes"]:
            blocks.append("\n".join(f"Note: {note}" for note in facts["notes"]))
        return "\n\n".join([*blocks, MEANING])

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"

    def plot(self, name: str | None = None) -> "Figures":
        """Figures: ``verdicts``, ``spectra``, ``distances``, ``residuals``, ``sensitivity``.

        Parameters
        ----------
        name
            One of them alone; all that there are by default.

        Returns
        -------
        Figures
            A mapping by name that a notebook shows; ``save(folder)`` writes PDF and PNG.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        from koopscope.own_runs.page import figures

        return figures(self, name)

    def report(self, path: Path | str) -> None:
        """Write one self-contained HTML page: answer, figures, settings and versions.

        Parameters
        ----------
        path
            File to write; what is there is replaced.
        """
        from koopscope.own_runs.page import write_page

        write_page(self, Path(path))

    def save(self, folder: Path | str) -> None:
        """Write ``comparison.zarr`` and what else there is, each sealed with its provenance.

        Parameters
        ----------
        folder
            Made if it is missing; stores of these names in it are replaced.
        """
        stores = {
            "comparison": self.comparison,
            "sensitivity": self.sensitivity,
            "parts": self.parts,
        }
        for name, dataset in stores.items():
            if dataset is not None:
                stamped = {**self.provenance, "kind": name}
                store.write(Path(folder) / f"{name}.zarr", dataset, stamped)

    def _comparison(self, i: int) -> Comparison:
        """Comparison of a pair."""
        at = self.comparison.isel(pair=i)
        from koopscope.compare.permutations import smallest_p

        least = smallest_p(
            int(at["seeds_first"]), int(at["seeds_second"]), at.attrs["permutations"]
        )
        return Comparison(**{name: float(at[name]) for name in NUMBERS}, smallest_p=least)

    def _overturned(self, i: int) -> list[str]:
        """Ways to estimate that give another verdict."""
        if self.sensitivity is None:
            return []
        words = self.sensitivity["verdict"].values[:, i]
        names = [str(name) for name in self.sensitivity["alternate"].values]
        changes = [str(change) for change in self.sensitivity["changes"].values]
        return [
            f"{name}{f' ({change})' if change else ''}: {word}"
            for name, change, word in zip(names, changes, words, strict=True)
            if word != words[0] and not name.startswith(LAYER)
        ]

    def _needed(self, i: int, tests: int) -> dict[str, Any] | None:
        at, attrs = self.comparison.isel(pair=i), self.comparison.attrs
        counts = int(at["seeds_first"]), int(at["seeds_second"])
        given = attrs["alpha"], attrs["smallest_effect"], attrs["permutations"]
        if str(at["verdict"].values) != INCONCLUSIVE:
            return None
        times = tests if attrs["correction"] != "none" else 1
        found = seeds_needed(self._comparison(i), *counts, *given, times)
        return {"seeds": found.seeds, "reason": found.reason} if found else None

    def _moved(self, row: Mapping[str, Any]) -> list[Any]:
        if row["verdict"] == NOT_DISTINGUISHED:
            return []
        groups = groups_of(self.comparison)
        values = finite(self.comparison["eigenvalue"].values)
        first, second = ([values[k] for k in groups[row[side]]] for side in ("first", "second"))
        return moved_most(first, second, self.comparison.attrs["spacing"])


def _answer(row: Mapping[str, Any]) -> str:
    """First line of a pair."""
    word = row["verdict"]
    said = f"{row['name']}: {word}"
    if row["fragile"] and word != INCONCLUSIVE:
        count = len(row["fragile"])
        said += f", but fragile: {count} other way{'s' if count > 1 else ''} to estimate say"
        said += f"{'' if count > 1 else 's'} otherwise"
    p = "adjusted p" if row["p_adjusted"] != row["p_value"] else "p"
    said += f"; effect {interval(row)}, {p} = {number(row['p_adjusted'], 2)}"
    said += f", {row['seeds_first']} and {row['seeds_second']} seeds"
    return said + (f": {row['reason']}" if word == INCONCLUSIVE and row["reason"] else "")


def _pair_lines(row: Mapping[str, Any]) -> str:
    lines = [row["answer"]]
    if row["verdict"] != INCONCLUSIVE:
        lines += [f"  Otherwise: {said}" for said in row["fragile"]]
    if row["needed"]:
        needed = row["needed"]
        seeds = needed["seeds"]
        said = f"about {seeds} seeds of each would probably settle it" if seeds else "not foreseen"
        lines.append(
            f"  What would settle it: {said} ({needed['reason']}). The smallest p that these seeds "
            f"can reach is {number(row['smallest_p'], 2)}."
        )
    if row["moved"] and row["verdict"] == DISTINGUISHED:
        lines += [f"  Moved most: {moved_said(m, row)}" for m in row["moved"]]
    return "\n".join(lines)


def moved_said(moved: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """One mode that moved, in words."""
    sides = [
        f"{_mode_said(moved[side])} in {row[name]}"
        for side, name in (("first", "first"), ("second", "second"))
    ]
    spread = moved["spread"]
    times = f" ({moved['distance'] / spread:.2g} × the spread of seeds)" if spread else ""
    return f"{' → '.join(sides)}; by {number(moved['distance'], 2)}{times}"


def _mode_said(mode: Mapping[str, Any]) -> str:
    value = complex(mode["real"], mode["imag"])
    shown = f"{value.real:.5g}" if value.imag == 0 else f"{value.real:.5g}±{value.imag:.2g}i"
    median, low, high = mode["time_constant"]
    lasts = (
        "does not decay"
        if not np.isfinite(median)
        else f"time constant {number(median)} steps [{number(low)}, {number(high)}]"
    )
    period = mode["period"][0]
    turns = f", period {number(period)} steps" if np.isfinite(period) else ""
    return f"λ ≈ {shown} ({lasts}{turns})"


def _part_rows(parts: xr.Dataset) -> list[dict[str, Any]]:
    """One row for each part and pair."""
    rows = []
    for i, part in enumerate(parts["part"].values):
        for j in range(parts.sizes["pair"]):
            at = parts.isel(part=i, pair=j)
            row: dict[str, Any] = {n: plain(at[n].values) for n in (*NUMBERS, "p_adjusted")}
            names = f"{at['first'].values} / {at['second'].values}"
            row |= {"part": str(part), "pair": names, "fitted": str(at["fitted"].values)}
            row |= {"verdict": str(at["verdict"].values), "reason": str(at["reason"].values)}
            rows.append(row)
    return rows


def parts_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Table of the parts, its head first."""
    head = ["part", "pair", "effect [95 %]", "adjusted p", "verdict", "fitted"]
    return [head] + [
        [r["part"], r["pair"], interval(r), number(r["p_adjusted"], 2), r["verdict"], r["fitted"]]
        for r in rows
    ]


def sensitivity_rows(found: Mapping[str, Any]) -> list[list[str]]:
    """Table of other ways to estimate, its head first."""
    return [["estimate", "changed", *found["pairs"]]] + [
        [
            row["name"],
            row["changes"],
            *(f"{interval(cell)} {cell['verdict']}" for cell in row["cells"]),
        ]
        for row in found["rows"]
    ]


def aligned(rows: list[list[str]]) -> str:
    """Rows as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(f"  {line}" for line in lines)
