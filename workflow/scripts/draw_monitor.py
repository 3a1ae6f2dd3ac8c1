"""Draw what a question about watching training came to.

Input: the store of the question, in the folder of its kind. Outputs: a sealed folder with each
figure as PNG and PDF. Wildcard: ``monitor``.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import MONITOR, save
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    path = snakemake.input[0]
    kind = Path(path).parent.name
    found = store.read(path, kind)
    provenance = stamp(
        "figures",
        parameters={"monitor": snakemake.wildcards.monitor},
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output[0]).parent, provenance) as folder:
        for name, draw in MONITOR[kind].items():
            save(draw(found), folder / name, provenance)
