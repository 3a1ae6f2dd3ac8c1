"""Markdown tables that survive any name."""

from collections.abc import Iterable


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Table with a head and rows of as many cells."""
    head = list(head)
    lines = [head, ["---"] * len(head), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """Text in which no name ends a table cell or switches on emphasis: names are the user's."""
    text = " ".join(str(text).split())
    for mark in "\\|*_`<":
        text = text.replace(mark, "\\" + mark)
    return text
