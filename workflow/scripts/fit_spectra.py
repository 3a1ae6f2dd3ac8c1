"""Fit the Koopman spectrum of every seed of a setup.

Input: ``trajectories``. Output: a sealed store, dims (seed, mode).
Wildcards: ``setup`` and ``fit``, their ids.
"""

from koopscope.artefacts import store
from koopscope.artefacts.consumed import stamped
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.config.control_fit import fit_from_dict
from koopscope.controls.fitting import fit_ensemble
from koopscope.koopman.ensemble import cluster

with stage(snakemake.log[0]):
    trajectories, spec = snakemake.input.trajectories, fit_from_dict(snakemake.params.fit)
    inputs = contents(snakemake.params.inputs)
    consumed = stamped(inputs)
    seeds = consumed[trajectories]["provenance"]["seeds"][: spec.seeds]
    provenance = stamp(
        "spectra",
        parameters=snakemake.params.fit,
        inputs=inputs,
        consumed=consumed,
        code=snakemake.params.code,
        named_by_digest=True,
        seeds=seeds,
    )
    with (
        bar(len(seeds) + spec.resamples, snakemake.wildcards.setup, " fits") as progress,
        cluster(snakemake.config["koopman"]["scheduler"], snakemake.threads) as client,
    ):
        spectra = fit_ensemble(trajectories, spec, client, progress.update)
    store.write(snakemake.output[0], spectra, provenance)
