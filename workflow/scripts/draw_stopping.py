"""Draw what a question of kind stopping came to.

Input: the store of the question. Outputs: a sealed folder with each figure as PNG and PDF.
Wildcard: ``monitor``.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import MONITOR, save
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    path = snakemake.input[0]
    found = store.read(path, "stopping")
    provenance = stamp(
        "figures",
        parameters={"monitor": snakemake.wildcards.monitor},
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output[0]).parent, provenance) as folder:
        for name, draw in MONITOR["stopping"].items():
            save(draw(found), folder / name, provenance)
