"""Draw all figures of one kind of store that is not a study's.

Input: a store of the kind ``params.kind``, a key of :data:`koopscope.figures.OF_KIND`. Outputs: a
sealed folder with each figure as PNG and PDF.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import OF_KIND, save
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    path, kind = snakemake.input[0], snakemake.params.kind
    # Figures read most of it more than once.
    found = store.read(path, kind).load()
    provenance = stamp(
        "figures",
        parameters=dict(snakemake.wildcards.items()),
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output[0]).parent, provenance) as folder:
        for name, draw in OF_KIND[kind].items():
            save(draw(found), folder / name, provenance)
