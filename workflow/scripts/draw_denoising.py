"""Draw errors, bands, reconstructions, and what is learned when, of an experiment.

Input: the store of its denoising. Outputs: a sealed folder with each figure as PNG and PDF.
Wildcard: ``sobolev``.
"""

from pathlib import Path

from koopscope import store
from koopscope.figures import DENOISING, save
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    path = snakemake.input[0]
    found = store.read(path, "sobolev").load()
    provenance = stamp(
        "figures",
        parameters={"sobolev": snakemake.wildcards.sobolev},
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
    )
    with store.staged(Path(snakemake.output.errors).parent, provenance) as folder:
        for name, function in DENOISING.items():
            save(function(found), folder / name, provenance)
