"""Bring recorded runs into the form of trajectories.

Output: a sealed store, dims (seed, init, step, weight). Wildcard: ``setup``, its id.
"""

from koopscope.artefacts import store
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.config.setups import setup_from_dict
from koopscope.experiments.equivalence.recorded import trajectories

with stage(snakemake.log[0]):
    setup = setup_from_dict(snakemake.params.setup)
    provenance = stamp(
        "trajectories",
        parameters=setup.to_dict(),
        code=snakemake.params.code,
        named_by_digest=True,
        seeds=list(setup.seeds),
    )
    with (
        store.scratch(snakemake.output[0]) as scratch,
        bar(len(setup.seeds), snakemake.wildcards.setup, " runs") as progress,
    ):
        found = trajectories(setup, scratch, progress.update)
        store.write(snakemake.output[0], found, provenance)
