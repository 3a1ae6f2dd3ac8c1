"""Write the page of answers: the table of questions, and one picture a question.

Inputs: the folders of figures, and the facts that hold the answers. Output: a page that opens
without a network.
"""

import json
from pathlib import Path

from koopscope.artefacts import files
from koopscope.artefacts.expected import check_expected, contents
from koopscope.artefacts.progress import stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.answers import answer_rows
from koopscope.experiments.answers_page import page
from koopscope.experiments.summary import ran

with stage(snakemake.log[0]):
    asked, facts = dict(snakemake.params.inputs), snakemake.input.facts
    summed_up = files.check_file(facts)
    check_expected(facts, asked.pop(facts), summed_up)
    inputs = {facts: summed_up["sha256"]} | contents(asked)
    sections = json.loads(Path(facts).read_text(encoding="utf-8"))
    run = sections.pop("run")
    rows = answer_rows(sections)
    made = page(rows, Path(facts).parent, ran(run, len(rows)))
    provenance = stamp("answers", parameters={}, inputs=inputs, code=snakemake.params.code)
    files.write_files({snakemake.output[0]: made}, provenance)
