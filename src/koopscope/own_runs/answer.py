"""What a comparison of runs says, in words, figures and a page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from koopscope.artefacts import store
from koopscope.compare.modes import moved_most
from koopscope.compare.permutations import smallest_p
from koopscope.compare.power import seeds_needed
from koopscope.compare.verdict import Comparison
from koopscope.compare.words import INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.experiments.equivalence.comparison import finite, groups_of
from koopscope.experiments.equivalence.control_lines import NUMBERS
from koopscope.experiments.equivalence.pairs import control_rows, margin_facts, pairs
from koopscope.experiments.equivalence.reliability import sensitivity_facts
from koopscope.own_runs.words import (
    MEANING,
    aligned,
    answer,
    pair_lines,
    part_facts,
    parts_rows,
    sensitivity_rows,
)

if TYPE_CHECKING:
    from koopscope.own_runs.page import Figures

# Ways to estimate that may overturn a verdict; a layer by itself is another question.
LAYER = "layer "


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
            ``control_lines``, a list, with ``as_expected`` and ``sentence``; ``margin``, the
            smallest effect that counts; ``compared``, ``fitted``, ``notes``, ``sensitivity``,
            ``parts``, ``provenance``.
        """
        attrs = self.comparison.attrs
        rows = pairs(self.comparison)
        for i, row in enumerate(rows):
            row["fragile"] = self._overturned(i)
            row["needed"] = self._needed(i, len(rows))
            row["moved"] = [moved.to_dict() for moved in self._moved(row)]
            row["smallest_p"] = self._comparison(i).smallest_p
            row["answer"] = answer(row)
            row["sentence"] = row["answer"]
        return {
            "pairs": rows,
            "control_lines": control_rows(self.comparison),
            "margin": margin_facts(attrs),
            "compared": attrs["compared"],
            "fitted": json.loads(attrs["chosen"]),
            "groups": json.loads(attrs["sources"]),
            "alpha": attrs["alpha"],
            "smallest_effect": attrs["smallest_effect"],
            "notes": json.loads(attrs["notes"]),
            "sensitivity": self.sensitivity and sensitivity_facts(self.sensitivity),
            "parts": self.parts and part_facts(self.parts),
            "provenance": dict(self.provenance),
        }

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdict of each pair by its name."""
        return {row["name"]: row["verdict"] for row in self.facts["pairs"]}

    def __str__(self) -> str:
        """Return the answer, what it rests on, and what would settle it."""
        facts = self.facts
        blocks = ["\n".join(pair_lines(row) for row in facts["pairs"])]
        fitted = facts["fitted"]
        blocks.append(
            f"Compared: {facts['compared']}.\n"
            f"Fitted: {fitted['coordinates']} coordinates, delays {fitted['delays']}, "
            f"rank {fitted['rank']}, the same for all runs ({fitted['reason']}).\n"
            f"Smallest effect that counts: {facts['margin']['said']}."
        )
        if facts["control_lines"]:
            blocks.append("\n".join(line["sentence"] for line in facts["control_lines"]))
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
        least = smallest_p(
            int(at["seeds_first"]), int(at["seeds_second"]), at.attrs["permutations"]
        )
        return Comparison(*[*(float(at[name]) for name in NUMBERS), least])

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
