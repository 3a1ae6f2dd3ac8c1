"""A page for each package that people import, with what its stub offers, from the docstrings."""

import shutil
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.config import Config

import koopscope

DOCS = Path(__file__).parents[1]
FOLDER = DOCS / "api"
PAGE = """# {package}

{said}

```{{eval-rst}}
.. currentmodule:: {package}

.. autosummary::
   :toctree: names

{names}
```
"""


def write(app: Sphinx, config: Config) -> None:
    """Write the pages, before the names on them get theirs."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    packages = sorted(
        name for name in koopscope.__all__ if isinstance(getattr(koopscope, name), ModuleType)
    )
    for package in packages:
        module = import_module(f"koopscope.{package}")
        names = sorted(module.__all__, key=str.lower)
        page = PAGE.format(
            package=module.__name__,
            said=getdoc(module),
            names="\n".join(f"   {name}" for name in names),
        )
        (FOLDER / f"{package}.md").write_text(page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
