"""Draw the error by layer of an experiment, and its predicted and observed layers.

Input: the store of its transitions. Outputs: a sealed folder with each figure as PNG and PDF.
Wildcard: ``experiment``.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import layers, save, transitions
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    path = snakemake.input[0]
    found = store.read(path, "transitions")
    provenance = stamp(
        "figures",
        parameters={"experiment": snakemake.wildcards.experiment},
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output.layers).parent, provenance) as folder:
        save(transitions(found), folder / "transitions", provenance)
        save(layers(found), folder / "layers", provenance)
