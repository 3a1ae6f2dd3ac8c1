"""Prove or refute the chain of digests of every result below ``results``; fail if one is broken."""

import sys

from koopscope.artefacts.progress import stage
from koopscope.artefacts.verification import verify

with stage(snakemake.log[0]):
    findings = list(verify("results"))
    for finding in findings:
        print(finding)
    broken = sum(not finding.holds for finding in findings)
    print(f"{len(findings) - broken} of {len(findings)} results hold")
    if broken:
        sys.exit(1)
