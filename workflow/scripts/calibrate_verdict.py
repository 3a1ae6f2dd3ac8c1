"""Count how often a study's verdict errs on pairs known to be alike, and its power on others.

Input: ``spectra``, one store a variant, in their order. Output: a sealed store with the p-values of
every draw. Wildcard: ``study``.
"""

from koopscope import store
from koopscope.compare import Rule, calibrate, read_spectra
from koopscope.progress import bar, stage
from koopscope.provenance import stamp
from koopscope.study import study_from

with stage(snakemake.log[0]):
    params = snakemake.params
    study = study_from(params.study, calibration=params.calibration)
    paths = list(snakemake.input.spectra)
    spectra = read_spectra(study, paths)
    provenance = stamp(
        "calibration",
        parameters={
            "study": params.study,
            "calibration": params.calibration,
            "compare": params.compare,
        },
        inputs={path: store.sealed_digest(path) for path in paths},
        code=params.code,
    )
    pairs = len(study.pairs) + len(study.calibration.split)
    with bar(pairs, snakemake.wildcards.study, " pairs") as progress:
        found = calibrate(study, spectra, Rule(**params.compare), progress=progress.update)
    store.write(snakemake.output[0], found, provenance)
