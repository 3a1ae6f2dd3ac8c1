"""Prove or refute the chain of digests of every result; fail if one is broken.

Params: ``outputs``, what ought to be there by the plan; ``delete``, whether to delete what is
refuted in place of failing.
"""

import sys

from koopscope.artefacts.progress import stage
from koopscope.artefacts.verification import remove_refuted, verify

with stage(snakemake.log[0]):
    findings = list(verify("results", snakemake.params.outputs))
    for finding in findings:
        print(finding)
    broken = sum(not finding.holds for finding in findings)
    print(f"{len(findings) - broken} of {len(findings)} results hold")
    if snakemake.params.delete:
        for path in remove_refuted(findings):
            print(f"Deleted {path}")
    elif broken:
        sys.exit(1)
