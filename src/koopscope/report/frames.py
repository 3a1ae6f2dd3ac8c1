"""Facts as flat rows for files of comma-separated values, with what each column means.

Full numbers, one value a cell: what Markdown tables round and join, these keep apart.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Columns that go with one of a mean or of a median; their bases are described.
BOUNDS = {
    "low": "lower bound of its 95 % interval",
    "high": "upper bound of its 95 % interval",
    "min": "the least of what it is the median or mean of",
    "max": "the greatest of what it is the median or mean of",
    "sd": "standard deviation of what it is the mean of",
}
# Names in facts of what a column without an end holds.
MIDDLES = ("mean", "median")
Row = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """A table of a kind of experiment.

    Attributes
    ----------
    about
        What a row is.
    rows
        Flat rows of the kind's facts; none where the experiment has no such table.
    columns
        Meaning of each column, with its unit; those that end as in ``BOUNDS`` go with their base.
    """

    about: str
    rows: Callable[[Mapping[str, Any]], list[Row]]
    columns: Mapping[str, str] = field(default_factory=dict)


def flat(row: Mapping[str, Any], leave: Iterable[str] = ()) -> Row:
    """One level of a row: cells become columns ``name``, ``name_low``, ``name_high`` and so on.

    Parameters
    ----------
    row
        Scalars, lists of scalars (joined by semicolons), and mappings of a mean or median with
        its bounds.
    leave
        Keys to leave out.

    Raises
    ------
    TypeError
        If a value is none of these.

    Examples
    --------
    >>> from koopscope.report.frames import flat
    >>> flat({"pair": "a / b", "overlap": {"mean": 0.5, "low": 0.4, "high": 0.6}})
    {'pair': 'a / b', 'overlap': 0.5, 'overlap_low': 0.4, 'overlap_high': 0.6}
    """
    found: Row = {}
    for name, value in row.items():
        if name in leave:
            continue
        if isinstance(value, Mapping):
            for part, number in value.items():
                found[name if part in MIDDLES else f"{name}_{part}"] = number
        elif isinstance(value, list):
            found[name] = "; ".join(map(str, value))
        elif value is None or isinstance(value, str | int | float):
            found[name] = value
        else:
            raise TypeError(f"{name}: {type(value).__name__} has no place in a flat row")
    return found


def along(
    rows: Iterable[Mapping[str, Any]],
    axis: str,
    values: Sequence[Any],
    lists: Mapping[str, str],
    leave: Iterable[str] = (),
) -> list[Row]:
    """Flat rows, one for each value of an axis that lists in the rows lie along.

    Parameters
    ----------
    rows
        Each with the lists, as long as ``values``.
    axis
        Column that holds the values.
    values
        Of the axis.
    lists
        Column that a list's entries go to, by its key in the rows; empty for entries that are rows
        themselves, whose keys are columns.
    leave
        Keys to leave out.
    """
    made = []
    for row in rows:
        rest = flat(row, leave=(*leave, *lists))
        for place, value in enumerate(values):
            at = {axis: value} | rest
            for name, column in lists.items():
                entry = row[name][place]
                at |= flat({column: entry} if column else entry)
            made.append(at)
    return made


def written(rows: Sequence[Row]) -> str:
    """Rows as comma-separated values with a head; what does not exist is empty."""
    head = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, head, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def meaning(column: str, columns: Mapping[str, str]) -> str:
    """What a column means.

    Raises
    ------
    KeyError
        If nothing says it.
    """
    if column in columns:
        return columns[column]
    base, _, end = column.rpartition("_")
    if base in columns and end in BOUNDS:
        return f"{BOUNDS[end]}: {columns[base]}"
    raise KeyError(f"nothing says what the column {column} means; describe it in the frame")


AGAINST = Frame(
    about="A case in which the spectrum meets a plain baseline",
    rows=lambda facts: [flat(row) for row in facts["against"]],
    columns={
        "where": "the runs, or the moment, of the case",
        "spectrum": "what uses the spectrum",
        "baseline": "what uses none",
        "measure": "what is measured, with its unit",
        "ours": "the spectrum's value, mean",
        "theirs": "the baseline's value, mean",
        "difference": "the first less the second, mean",
        "word": "whether the spectrum is better, worse or neither",
        "group": "kind of the case",
    },
)
