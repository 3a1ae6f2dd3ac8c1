# From data to a report on which training runs behave alike, how deep a regression has to be, what
# Koopman modes say of which weights a network needs, what a spectrum says while a network trains, and
# what losses make of noise:
#
#   data → training → koopman → compare → figures → report
#    pruning, monitor ← ┘   signals → hsvr ─┤
#                                └→ sobolev ┘
#
# `snakemake` runs everything, `snakemake STAGE` up to a stage (data, train, spectra, distances,
# known_answers, early_phase, grokking, hsvr, pruning, monitor, sobolev, figures, summary, answers,
# report), `snakemake --forcerun STAGE` again from there, `snakemake verify` proves the results. The
# library in src/ does the work; this file and workflow/rules say what depends on what.

from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/plan.smk"
include: "workflow/rules/outputs.smk"
include: "workflow/rules/progress.smk"
include: "workflow/rules/start.smk"
include: "workflow/rules/sizes.smk"


wildcard_constraints:
    data="[^/]+",
    setup="[^/]+",
    fit="[^/]+",
    name="[a-z][a-z0-9_]*",
    store="[a-z][a-z0-9_]*",
    run="[^/]+",
    seed="[0-9]+",
    epoch="[0-9]+",


rule all:
    default_target: True
    input:
        "results/answers.html",
        "results/report.html",
        "results/summary.md",


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/spectra.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/pruning.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
