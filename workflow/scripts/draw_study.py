"""Draw the figures of a study, and write its table of verdicts.

Inputs: ``comparison`` and ``curves``. Outputs: a sealed folder with each figure as PNG and PDF, and
``verdicts.csv``. Wildcard: ``study``.
"""

from pathlib import Path

import pandas as pd

from koopscope import store
from koopscope.figures import FIGURES, save
from koopscope.progress import stage
from koopscope.provenance import stamp
from koopscope.summary import pairs

with stage(snakemake.log[0]):
    inputs = {name: snakemake.input[name] for name in ("comparison", "curves")}
    data = {name: store.read(path, name) for name, path in inputs.items()}
    provenance = stamp(
        "figures",
        parameters={"study": snakemake.wildcards.study},
        inputs={path: store.sealed_digest(path) for path in inputs.values()},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output.table).parent, provenance) as folder:
        for name, (draw, source) in FIGURES.items():
            save(draw(data[source]), folder / name, provenance)
        pd.DataFrame(pairs(data["comparison"])).to_csv(folder / "verdicts.csv", index=False)
