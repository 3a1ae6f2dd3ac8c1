"""Every figure that the report can show, from a run's results, with the call that makes it.

The figures are those under ``results/figures`` (or under the folder that the environment variable
``KOOPSCOPE_RESULTS`` names); of one that several experiments have, the fullest is shown.
"""

import os
import shutil
from inspect import getdoc
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from koopscope.artefacts.names import named
from koopscope.experiments.registry import ABOUT, KINDS, Kind, Shown

DOCS = Path(__file__).parents[1]
FOLDER = DOCS / "gallery"
FIGURE = """## {label}

```{{eval-rst}}
{said}
```

```python
from koopscope.artefacts import store
from {module} import {name}

{name}(store.read("{path}")).savefig("{name}.pdf")
```

```{{eval-rst}}
.. image:: images/{name}.png
   :alt: {alt}
   :target: ../_images/{name}.png
```
"""


def write(app: Sphinx, config: Config) -> None:
    """Write a page for each kind of experiments that the results have figures of."""
    results = Path(os.environ.get("KOOPSCOPE_RESULTS", DOCS.parent / "results")).resolve()
    if not (results / "figures").is_dir():
        raise ExtensionError(
            f"{results.name}/figures: no figures to show; first run the study, or a small one: "
            "make CONFIG=config/smoke.yaml"
        )
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "images").mkdir(parents=True)
    for kind in KINDS:
        blocks = [block for shown in kind.shown if (block := figure(shown, results))]
        if blocks:
            (FOLDER / f"{kind.name}.md").write_text("\n".join([heading(kind), *blocks]))


def heading(kind: Kind) -> str:
    """Title of a kind's page, and what the kind asks, as the report says it."""
    asked = kind.caption(ABOUT).read_text().split("\n\n")[0].strip()
    name = kind.name.replace("_", " ")
    return f"# {name[0].upper()}{name[1:]}\n\n```{{eval-rst}}\n{asked}\n```\n"


def figure(shown: Shown, results: Path) -> str:
    """What the gallery says of a figure; nothing of a table, or if no experiment has it."""
    drawn = sorted(results.glob(f"figures/*/{shown.folder}/{shown.name}.png"))
    if not drawn:
        return ""
    fullest = max(drawn, key=lambda path: path.stat().st_size)
    experiment = fullest.parents[1].name
    shutil.copy(fullest, FOLDER / "images" / f"{shown.name}.png")
    label = shown.label.split(" ", 1)[1]
    module, name = shown.function.split(":")
    return FIGURE.format(
        label=label[0].upper() + label[1:],
        said=(getdoc(named(shown.function)) or "").split("\n\nParameters\n")[0],
        module=module,
        name=name,
        path=f"results/{shown.of}/{experiment}.zarr",
        alt=f"{label}, of the question {experiment}",
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
