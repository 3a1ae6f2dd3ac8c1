"""Estimate a study's spectra in other ways, and judge its pairs by each.

Inputs: ``spectra``, one store a variant, in their order; ``trajectories`` of every setup that an
alternate reads. Output: a sealed store with the verdicts by alternate. Wildcard: ``name``.
"""

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import digest, stamp
from koopscope.controls.fitting import fit_ensemble
from koopscope.experiments.equivalence.comparison import Rule
from koopscope.experiments.equivalence.sensitivity import compare_alternates
from koopscope.experiments.equivalence.stores import read_spectra
from koopscope.experiments.equivalence.study import study_from_dict
from koopscope.koopman.ensemble import cluster

with stage(snakemake.log[0]):
    params = snakemake.params
    study = study_from_dict(params.study, params.alternates)
    paths = list(snakemake.input.spectra)
    spectra = read_spectra(study, paths)
    # By digest: a setup's file is named after its data set's name too, which is not kept here.
    trajectories = {
        store.read_provenance(path)["parameters_digest"]: path
        for path in snakemake.input.trajectories
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
    fits = sum(len(alternate.fitted) for alternate in study.alternates)
    alternates = {}
    with (
        bar(fits, snakemake.wildcards.name, " ensembles") as progress,
        cluster(snakemake.config["koopman"]["scheduler"], snakemake.threads) as client,
    ):
        for alternate in study.alternates:
            alternates[alternate.name] = {}
            for variant in alternate.fitted:
                path = trajectories[digest(variant.setup.to_dict())]
                found = fit_ensemble(path, variant.fit, client)
                alternates[alternate.name][variant.name] = found
                progress.update(1)
    rule = Rule(**params.compare)
    store.write(
        snakemake.output[0], compare_alternates(study, spectra, alternates, rule), provenance
    )
