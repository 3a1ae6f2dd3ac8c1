"""Compare the spectra of a study's variants.

Input: ``spectra``, one store a variant, in their order. Output: a sealed store with distances and
verdicts. Wildcard: ``name``.
"""

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.equivalence.comparison import Rule, compare_study
from koopscope.experiments.equivalence.stores import read_spectra
from koopscope.experiments.equivalence.study import study_from_dict

with stage(snakemake.log[0]):
    study = study_from_dict(snakemake.params.study)
    spectra = read_spectra(study, snakemake.input.spectra)
    provenance = stamp(
        "comparison",
        parameters={"study": study.to_dict(), "compare": snakemake.params.compare},
        inputs=contents(snakemake.params.inputs),
        code=snakemake.params.code,
    )
    store.write(
        snakemake.output[0],
        compare_study(study, spectra, Rule(**snakemake.params.compare)),
        provenance,
    )
