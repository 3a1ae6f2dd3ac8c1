"""Bars in docstrings, as in |λ|, mean a modulus and never Sphinx's substitutions."""

import re

from sphinx.application import Sphinx

CODE = re.compile(r"(``.*?``)")


def escape(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Escape the bars outside of code."""
    example = False
    for i, line in enumerate(lines):
        example = bool(line.strip()) and (example or ">>>" in line)
        if not example:
            parts = CODE.split(line)
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            lines[i] = "".join(parts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    # After numpydoc, which reads the docstring as it stands.
    app.connect("autodoc-process-docstring", escape, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
