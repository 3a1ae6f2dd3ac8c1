"""Collect the training curves of a study's variants.

Input: ``trajectories``, one store a variant, in their order. Output: a sealed store, small enough
to draw. Wildcard: ``name``.
"""

from koopscope.artefacts import store
from koopscope.artefacts.consumed import stamped
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.equivalence.curves import training_curves
from koopscope.experiments.equivalence.study import study_from_dict

with stage(snakemake.log[0]):
    study = study_from_dict(snakemake.params.study)
    paths = list(snakemake.input.trajectories)
    trajectories = {
        variant.name: store.read(path, "trajectories")
        for variant, path in zip(study.variants, paths, strict=True)
    }
    inputs = contents(snakemake.params.inputs)
    provenance = stamp(
        "curves",
        parameters=study.to_dict(),
        inputs=inputs,
        consumed=stamped(inputs),
        code=snakemake.params.code,
    )
    store.write(snakemake.output[0], training_curves(study, trajectories), provenance)
