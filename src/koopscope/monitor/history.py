"""Verdicts as flat rows of plain numbers and texts, for loggers and files."""

import json
import math
from pathlib import Path

import numpy as np

from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.statuses import STATUSES
from koopscope.monitor.verdict import Verdict

Row = dict[str, float | int | str]


class History:
    """Rows in their order, each also written to a file, if there is one.

    Parameters
    ----------
    file
        To which rows are added as lines of JSON.
    """

    def __init__(self, file: Path | str | None) -> None:
        self.rows: list[Row] = []
        self._file = None if file is None else Path(file)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)

    def lacks(self, snapshots: int) -> bool:
        """Whether there is no row of so many snapshots."""
        return not self.rows or self.rows[-1]["snapshots"] != snapshots

    def add(self, row: Row) -> None:
        """Put a row at the end."""
        self.rows.append(row)
        if self._file is not None:
            # Closed each time, so that others can read it while the training runs.
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def row_of(snapshots: int, known: dict[str, float | None], verdict: Verdict | None) -> Row:
    """Row of what is known, without the numbers that are not: no logger takes them, nor JSON."""
    row: Row = {"snapshots": snapshots}
    if verdict is not None:
        row |= {"status": verdict.status, "status_code": STATUSES.index(verdict.status)}
        row["reason"] = verdict.reason
        known = known | ({} if verdict.spectrum is None else _numbers(verdict.spectrum))
    return row | {
        key: float(value)
        for key, value in known.items()
        if value is not None and math.isfinite(value)
    }


def _numbers(spectrum: WindowSpectrum) -> dict[str, float | None]:
    moduli, slowest = np.abs(spectrum.eigenvalues)[spectrum.resolved], spectrum.slowest
    return {
        "predicted_displacement": spectrum.predicted_displacement(),
        "leading_modulus": moduli.max() if len(moduli) else None,
        "time_constant": None if slowest is None else spectrum.time_constants[slowest],
        "slow_share": spectrum.slow_share,
        "growing_share": spectrum.growing_share,
        "oscillating_share": spectrum.oscillating_share,
    }
