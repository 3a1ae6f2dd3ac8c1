"""Fill the tables of a page of findings with the numbers of a run.

``python -m koopscope.summary.findings SUMMARY PAGE``: between ``<!-- numbers: STUDY PART -->`` and
``<!-- end -->`` the page holds the part (``pairs``, ``clocks``, ``line``, ``calibration`` or
``sensitivity``) of the study in the run's ``summary.json``, or (``layers``, ``rules``,
``regressors``, or ``overlaps``, ``accuracies``, ``differences``, ``eigenvalues``, or ``errors``,
``against``, ``bands``, ``learned``, ``rates``) of the experiment; the words around it are ours.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from koopscope.errors import InputError
from koopscope.summary.hsvr import layers_table, regressors_table, rules_table
from koopscope.summary.pruning import (
    accuracy_table,
    difference_table,
    eigenvalue_table,
    overlap_table,
)
from koopscope.summary.sobolev import (
    against_table,
    bands_table,
    errors_table,
    learned_table,
    rates_table,
)
from koopscope.summary.text import (
    calibration_text,
    clock_table,
    line_text,
    pair_table,
    sensitivity_text,
)

PARTS = {
    "pairs": lambda study: pair_table(study["pairs"]),
    "clocks": clock_table,
    "line": lambda study: line_text(study["line"]),
    "calibration": lambda study: calibration_text(study.get("calibration")),
    "sensitivity": lambda study: sensitivity_text(study.get("sensitivity")),
    "layers": layers_table,
    "rules": rules_table,
    "regressors": regressors_table,
    "overlaps": overlap_table,
    "accuracies": accuracy_table,
    "differences": difference_table,
    "eigenvalues": eigenvalue_table,
    "errors": errors_table,
    "against": against_table,
    "bands": bands_table,
    "learned": learned_table,
    "rates": rates_table,
}
PLACE = re.compile(r"(<!-- numbers: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, studies: Mapping[str, Mapping[str, Any]]) -> str:
    """Page with every place filled.

    Raises
    ------
    InputError
        If a place names a study or an experiment that did not run, or a part that it has not.
    """

    def fill(place: re.Match) -> str:
        head, study, part, end = place.groups()
        if part not in PARTS:
            raise InputError(f"numbers: unknown part {part!r}; give one of {', '.join(PARTS)}")
        if study not in studies:
            raise InputError(f"numbers: no study {study!r} in the run; it has {', '.join(studies)}")
        try:
            return f"{head}\n{PARTS[part](studies[study])}\n\n{end}"
        except KeyError:
            raise InputError(f"numbers: {study!r} has no {part!r}; give another part") from None

    return PLACE.sub(fill, page)


if __name__ == "__main__":
    summary, page = map(Path, sys.argv[1:])
    try:
        found = json.loads(summary.read_text())
        everything = dict(found["studies"])
        for kind in ("hsvr", "pruning", "sobolev"):
            everything |= found.get(kind, {})
        page.write_text(filled(page.read_text(), everything))
    except (InputError, OSError) as error:
        sys.exit(f"Error: {error}")
