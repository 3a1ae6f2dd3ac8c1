"""Draw what pruning came to: overlaps, accuracy, eigenvalues taken for 1, what each layer keeps.

Input: the store of the experiment. Outputs: a sealed folder with each figure as PNG and PDF.
Wildcard: ``pruning``.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import PRUNING, save
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    path = snakemake.input[0]
    found = store.read(path, "pruning")
    provenance = stamp(
        "figures",
        parameters={"pruning": snakemake.wildcards.pruning},
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output.overlap).parent, provenance) as folder:
        for name, draw in PRUNING.items():
            save(draw(found), folder / name, provenance)
