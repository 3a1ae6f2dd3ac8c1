"""Count how often a study's verdict errs on pairs known to be alike, and its power on others.

Input: ``spectra``, one store a variant, in their order. Output: a sealed store with the p-values of
every draw. Wildcard: ``name``.
"""

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.equivalence.comparison import Rule
from koopscope.experiments.equivalence.error_rates import count_errors
from koopscope.experiments.equivalence.stores import read_spectra
from koopscope.experiments.equivalence.study import study_from_dict

with stage(snakemake.log[0]):
    params = snakemake.params
    study = study_from_dict(params.study, error_rates=params.error_rates)
    spectra = read_spectra(study, snakemake.input.spectra)
    provenance = stamp(
        "error_rates",
        parameters={
            "study": params.study,
            "error_rates": params.error_rates,
            "compare": params.compare,
        },
        inputs=contents(params.inputs),
        code=params.code,
    )
    pairs = len(study.pairs) + len(study.error_rates.split)
    with bar(pairs, snakemake.wildcards.name, " pairs") as progress:
        found = count_errors(study, spectra, Rule(**params.compare), progress=progress.update)
    store.write(snakemake.output[0], found, provenance)
