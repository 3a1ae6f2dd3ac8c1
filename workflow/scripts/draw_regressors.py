"""Draw the errors and times of an experiment's regressors.

Input: the store of its baselines. Outputs: a sealed folder with the figure as PNG and PDF.
Wildcard: ``experiment``.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import regressors, save
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    path = snakemake.input[0]
    provenance = stamp(
        "figures",
        parameters={"experiment": snakemake.wildcards.experiment},
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output.figure).parent, provenance) as folder:
        save(regressors(store.read(path, "baselines")), folder / "regressors", provenance)
