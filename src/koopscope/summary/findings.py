"""Fill the tables of a page of findings with the numbers of a run.

``python -m koopscope.summary.findings SUMMARY PAGE``: between ``<!-- numbers: STUDY PART -->`` and
``<!-- end -->`` the page holds the part (a key of ``PARTS``) of the study or experiment in the
run's ``summary.json``; the words around it are ours. The study ``everything`` is all that ran.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from koopscope.errors import InputError
from koopscope.summary import hsvr, monitor, pruning, sobolev
from koopscope.summary.baselines import baseline_table
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
    "baselines": baseline_table,
    **hsvr.TABLES,
    **pruning.TABLES,
    **monitor.TABLES,
    **sobolev.TABLES,
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
        sections = [facts for name, facts in found.items() if name != "run"]
        everything = {name: facts for section in sections for name, facts in section.items()}
        page.write_text(filled(page.read_text(), everything | {"everything": found}))
    except (InputError, OSError) as error:
        sys.exit(f"Error: {error}")
