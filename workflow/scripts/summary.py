"""Sum up what every study came to.

Inputs: ``comparisons`` and ``curves`` of all studies, in their order; ``calibrations`` and
``sensitivities`` of those that have them; ``transitions`` and ``baselines`` of the experiments
with regression; ``prunings``; ``monitors``; ``denoisings``.
Outputs: ``text`` (Markdown) and ``facts`` (JSON, for the captions of the report).
"""

import json
from pathlib import Path

from koopscope import store
from koopscope.progress import stage
from koopscope.provenance import stamp
from koopscope.summary import (
    calibration_facts,
    facts,
    hsvr_facts,
    markdown,
    monitor_facts,
    pruning_facts,
    sensitivity_facts,
    sobolev_facts,
)

with stage(snakemake.log[0]):
    studies = {
        name: facts(store.read(comparison, "comparison"), store.read(curves, "curves"))
        for name, comparison, curves in zip(
            snakemake.params.studies,
            snakemake.input.comparisons,
            snakemake.input.curves,
            strict=True,
        )
    }
    for kind, function, found in (
        ("calibration", calibration_facts, snakemake.input.calibrations),
        ("sensitivity", sensitivity_facts, snakemake.input.sensitivities),
    ):
        for path in found:
            dataset = store.read(path, kind)
            studies[dataset.attrs["study"]][kind] = function(dataset)
    compared = {Path(path).name: path for path in snakemake.input.baselines}
    others: dict[str, dict] = {"hsvr": {}}
    for path in snakemake.input.transitions:
        other = compared.get(Path(path).name)
        others["hsvr"][Path(path).stem] = hsvr_facts(
            store.read(path, "transitions"), store.read(other, "baselines") if other else None
        )
    for section, function, found in (
        ("pruning", pruning_facts, snakemake.input.prunings),
        ("sobolev", sobolev_facts, snakemake.input.denoisings),
    ):
        others[section] = {Path(path).stem: function(store.read(path, section)) for path in found}
    # By kind of question, which the folder names.
    others["monitor"] = {
        path.stem: monitor_facts(store.read(path, path.parent.name), path.parent.name)
        for path in map(Path, snakemake.input.monitors)
    }
    provenance = stamp(
        "summary",
        parameters={"configuration": snakemake.params.configuration},
        inputs={path: store.sealed_digest(path) for path in snakemake.input},
        code=snakemake.params.code,
    )
    run = {key: provenance[key] for key in ("koopscope", "commit", "versions")}
    run["configuration"] = ", ".join(snakemake.params.configuration)
    text = markdown(studies, run, others)
    everything = {"run": run, "studies": studies, **others}
    everything = json.dumps(everything, indent=1, allow_nan=False)
    store.write_file(snakemake.output.text, text, provenance)
    store.write_file(snakemake.output.facts, everything + "\n", provenance)
