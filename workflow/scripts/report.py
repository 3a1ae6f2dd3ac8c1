"""Write the report: one HTML page with every figure, table and caption.

Inputs: the folders of figures, and the facts that the captions quote. Output: a page that opens
without a network. Params: ``shown``, the names of figures and tables of each experiment.
"""

import json
import subprocess
import sys
from pathlib import Path

from koopscope.artefacts import files, store
from koopscope.artefacts.expected import check_expected, contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.captions import captions

with stage(snakemake.log[0]):
    page = Path(snakemake.output[0])
    partial = page.with_name(store.PARTIAL + page.name)
    configuration = page.with_name(f"{store.PARTIAL}config.json")
    known = {key: value for key, value in snakemake.config.items() if key != "captions"}
    # Before the captions quote it.
    asked, facts = dict(snakemake.params.inputs), snakemake.input.facts
    summed_up = files.check_file(facts)
    check_expected(facts, asked.pop(facts), summed_up)
    inputs = {facts: summed_up["sha256"]} | contents(asked)
    sections = json.loads(Path(facts).read_text(encoding="utf-8"))
    run = sections.pop("run")
    said = captions(sections, snakemake.params.shown, run.get("configuration", ""))
    filled = {"captions": said}
    configuration.write_text(json.dumps(known | filled), encoding="utf-8")
    # The engine makes reports only from outside a run, so this asks a second one, which needs no
    # lock because it only reads.
    command = [sys.executable, "-m", "snakemake", "figures", "--nolock", "--report", str(partial)]
    done = subprocess.run(
        [*command, "--configfile", str(configuration)], capture_output=True, text=True
    )
    configuration.unlink()
    Path(snakemake.log[0]).write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    provenance = stamp(
        "report",
        parameters=known,
        inputs=inputs,
        code=snakemake.params.code,
    )
    files.seal_file(partial, page, provenance)
