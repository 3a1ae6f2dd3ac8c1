"""Run an online optimiser from every initial point.

Output: a sealed store, dims (seed, init, step, weight). Wildcard: ``setup``, its id.
"""

from koopscope.artefacts import store
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.config.setup import online_from_dict
from koopscope.training.online import trajectories

with stage(snakemake.log[0]):
    setup = online_from_dict(snakemake.params.setup)
    provenance = stamp(
        "trajectories",
        parameters=setup.to_dict(),
        code=snakemake.params.code,
        named_by_digest=True,
        seeds=list(setup.seeds),
    )
    store.write(snakemake.output[0], trajectories(setup), provenance)
