"""Sum up what every experiment came to.

Inputs: the stores of all experiments. Outputs: ``text`` (Markdown), ``facts`` (JSON, for the
captions of the report) and ``tables`` (a sealed folder of CSV files). Params: ``experiments`` by
name, each with its kind, its section of the configuration and its stores' paths.
"""

import json

from koopscope.artefacts import files, store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.frames import files as tables
from koopscope.experiments.summary import facts, markdown

with stage(snakemake.log[0]):
    sections = {}
    for name, experiment in snakemake.params.experiments.items():
        paths = experiment["stores"].items()
        # Most of it is read, and more than once.
        stores = {kind: store.read(path, kind).load() for kind, path in paths}
        section = sections.setdefault(experiment["section"], {})
        section[name] = facts(experiment["kind"], stores)
    provenance = stamp(
        "summary",
        parameters={"configuration": snakemake.params.configuration},
        inputs=contents(snakemake.params.inputs),
        code=snakemake.params.code,
    )
    run = {key: provenance[key] for key in ("koopscope", "commit", "versions")}
    run["configuration"] = ", ".join(snakemake.params.configuration)
    everything = json.dumps({"run": run, **sections}, indent=1, allow_nan=False)
    with store.staged(snakemake.output.tables, provenance) as folder:
        for name, text in tables(sections).items():
            (folder / name).write_text(text, encoding="utf-8")
    made = {
        snakemake.output.text: markdown(sections, run),
        snakemake.output.facts: everything + "\n",
    }
    files.write_files(made, provenance)
