"""Fill the tables of a page of findings with the numbers of a run.

``python -m koopscope.experiments.findings SUMMARY PAGE``: between ``<!-- numbers: NAME PART -->``
and ``<!-- end -->`` the page holds a part (a key of ``TABLES`` in its kind's ``summary``) of the
experiment of that name in the run's ``summary.json``; the words around it are ours. The name
``everything`` is for parts of all that ran (keys of ``TOGETHER``).
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from koopscope.errors import InputError
from koopscope.experiments.baselines import baseline_table
from koopscope.experiments.registry import kind_of

EVERYTHING = "everything"
TOGETHER = {"baselines": baseline_table}
PLACE = re.compile(r"(<!-- numbers: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Page with every place filled.

    Parameters
    ----------
    page
        Its text.
    sections
        Facts of each experiment by its name, by section of the configuration.

    Raises
    ------
    InputError
        If a place names an experiment that did not run, or a part that it has not.
    """
    experiments = {name: found for section in sections.values() for name, found in section.items()}

    def fill(place: re.Match) -> str:
        head, name, part, end = place.groups()
        if name == EVERYTHING:
            tables, facts = TOGETHER, sections
        elif name in experiments:
            facts = experiments[name]
            tables = kind_of(facts["kind"]).load("summary", "TABLES")
        else:
            raise InputError(
                f"numbers: no experiment {name!r} in the run; it has {', '.join(experiments)}"
            )
        if part not in tables:
            raise InputError(
                f"numbers: {name} has no part {part!r}; give one of {', '.join(tables)}"
            )
        return f"{head}\n{tables[part](facts)}\n\n{end}"

    return PLACE.sub(fill, page)


if __name__ == "__main__":
    summary, page = map(Path, sys.argv[1:])
    try:
        found = json.loads(summary.read_text(encoding="utf-8"))
        found.pop("run", None)
        page.write_text(filled(page.read_text(encoding="utf-8"), found), encoding="utf-8")
    except (InputError, OSError) as error:
        sys.exit(f"Error: {error}")
