"""Fetch or generate a data set.

Input: ``like``, the data set that a derived one is made from, if any.
Output: a sealed store with training and test samples. Wildcard: ``data``, its id.
"""

from pathlib import Path

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.config.data import data_from_dict
from koopscope.data.loading import load

with stage(snakemake.log[0]):
    spec = data_from_dict(snakemake.params.spec | {"name": snakemake.params.name})
    like = snakemake.input.get("like")
    path = snakemake.config["data"].get(spec.name, {}).get("path")
    dataset = load(
        spec, store.read(like, "data") if like else None, Path(path).expanduser() if path else None
    )
    provenance = stamp(
        "data",
        parameters=spec.to_dict(),
        inputs=contents(snakemake.params.inputs),
        code=snakemake.params.code,
        named_by_digest=True,
    )
    store.write(snakemake.output[0], dataset, provenance)
