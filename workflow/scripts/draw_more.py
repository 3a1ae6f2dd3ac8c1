"""Draw a figure that only some studies have.

Input: the store that it is drawn from. Outputs: a sealed folder with the figure as PNG and PDF.
Wildcards: ``study`` and ``figure``, a name in :data:`koopscope.figures.MORE`.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import MORE, save
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    function, kind = MORE[snakemake.wildcards.figure]
    path = snakemake.input[0]
    provenance = stamp(
        "figures",
        parameters={key: snakemake.wildcards[key] for key in ("study", "figure")},
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output.figure).parent, provenance) as folder:
        figure = function(store.read(path, kind))
        save(figure, folder / snakemake.wildcards.figure, provenance)
