"""Write the report: one HTML page with every figure, table and caption.

Inputs: the figures and the facts that the captions quote. Output: a page that opens without a
network.
"""

import json
import subprocess
import sys
from pathlib import Path

from koopscope import store
from koopscope.progress import stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    page = Path(snakemake.output[0])
    partial = page.with_name(store.PARTIAL + page.name)
    configuration = page.with_name(f"{store.PARTIAL}config.json")
    known = {key: value for key, value in snakemake.config.items() if key != "facts"}
    configuration.write_text(json.dumps(known))
    # The engine makes reports only from outside a run, so this asks a second one, which needs no
    # lock because it only reads.
    command = [sys.executable, "-m", "snakemake", "figures", "--nolock", "--report", str(partial)]
    done = subprocess.run(
        [*command, "--configfile", str(configuration)], capture_output=True, text=True
    )
    configuration.unlink()
    Path(snakemake.log[0]).write_text(done.stdout + done.stderr)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    folders = sorted({Path(path).parent.as_posix() for path in snakemake.input.figures})
    provenance = stamp(
        "report",
        parameters=known,
        inputs={folder: store.sealed_digest(folder) for folder in folders},
        code=snakemake.params.code,
    )
    store.seal_file(partial, page, provenance)
