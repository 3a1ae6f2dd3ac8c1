"""Join what pruning came to over the seeds and epochs of an experiment.

Inputs: one store for each seed and epoch. Output: a sealed store, dims (seed, epoch, score,
compression, pair, layer, moment). Wildcard: ``name``.
"""

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.pruning.run import gathered

with stage(snakemake.log[0]):
    paths = list(snakemake.input)
    names = {"study": snakemake.wildcards.name, "question": snakemake.params.question}
    provenance = stamp(
        "pruning",
        parameters=snakemake.params.protocol | names,
        inputs=contents(snakemake.params.inputs),
        code=snakemake.params.code,
    )
    found = gathered([store.read(path, "pruned") for path in paths])
    store.write(snakemake.output[0], found.assign_attrs(names), provenance)
