"""Pages of the checkout that lie outside of this folder, and links to them.

A page such as ``configuration.md`` shows ``config/README.md``. What links to the one, from here
or from the page shown, is sent to the other.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
# Page here: the file that it shows.
PAGES = {
    "configuration": "config/README.md",
    "results": "results/README.md",
    "benchmarks": "benchmarks/README.md",
    "contributing": "CONTRIBUTING.md",
    "changelog": "CHANGELOG.md",
    "index": "README.md",
}
LINK = re.compile(r"\]\(([^)#:\s]+\.(?:md|cff|yaml|json|py))(#[^)\s]*)?\)")
# A link to a file that has no page: its label stays, and its name.
FILE = re.compile(r"\[([^]]*)\]\(file:([^)]*)\)")


def linked(text: str, folder: Path) -> str:
    """A page's text with its links to files sent to pages; of other files the name remains."""

    def target(match: re.Match) -> str:
        path = (folder / match[1]).resolve()
        anchor = match[2] or ""
        for page, shown in PAGES.items():
            if path == DOCS.parent / shown:
                return f"]({page}.md{anchor})"
        if path.parent == DOCS:
            return f"]({path.name}{anchor})"
        return match[0] if not path.exists() else f"](file:{path.relative_to(DOCS.parent)})"

    return FILE.sub(r"\1 (`\2`)", LINK.sub(target, text))


def show(app: Sphinx, page: str, source: list[str]) -> None:
    """Give a page the text of the file that it shows; mend the links of every page."""
    shown = PAGES.get(page)
    if shown and page != "index":
        path = DOCS.parent / shown
        source[0] = linked(path.read_text(), path.parent)
    elif (DOCS / f"{page}.md").exists():
        source[0] = linked(source[0], DOCS)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
