"""Judge a study's pairs by spectra that are estimated in other ways.

Inputs: ``spectra``, one store a variant, in their order; ``alternates``, those of each alternate
after the other. Output: a sealed store with the verdicts by alternate. Wildcard: ``name``.
"""

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.equivalence.comparison import Rule
from koopscope.experiments.equivalence.sensitivity import compare_alternates
from koopscope.experiments.equivalence.stores import read_spectra
from koopscope.experiments.equivalence.study import study_from_dict

with stage(snakemake.log[0]):
    params = snakemake.params
    study = study_from_dict(params.study, params.alternates)
    spectra = read_spectra(study, snakemake.input.spectra)
    paths = iter(snakemake.input.alternates)
    alternates = {
        alternate.name: read_spectra(alternate, [next(paths) for _ in alternate.fitted])
        for alternate in study.alternates
    }
    provenance = stamp(
        "sensitivity",
        parameters={
            "study": params.study,
            "alternates": params.alternates,
            "compare": params.compare,
        },
        inputs=contents(params.inputs),
        code=params.code,
    )
    found = compare_alternates(study, spectra, alternates, Rule(**params.compare))
    store.write(snakemake.output[0], found, provenance)
