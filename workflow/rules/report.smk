# What came out, as a page and as a text; and the proof of it.


rule summary:
    input:
        [path for name in EXPERIMENTS for path in stores_of(name).values()],
    output:
        text=update("results/summary.md"),
        facts=update("results/summary.json"),
    log:
        "logs/summary.log",
    conda:
        "../../envs/figures.yaml"
    params:
        experiments={
            name: {
                "kind": experiment.kind,
                "section": registry.kind_of(experiment.kind).section,
                "stores": stores_of(name),
            }
            for name, experiment in EXPERIMENTS.items()
        },
        configuration=[os.path.relpath(file) for file in workflow.configfiles],
        code=code("summary.py", *(kind.module("summary") for kind in registry.KINDS)),
    message:
        "Summing up what came out"
    script:
        "../scripts/summary.py"


rule report:
    input:
        figures=drawn(),
        facts="results/summary.json",
    output:
        update("results/report.html"),
    log:
        "logs/report.log",
    conda:
        "../../envs/report.yaml"
    params:
        shown={
            name: [s.name for folder in shown(name).values() for s in folder]
            for name in EXPERIMENTS
        },
        code=code(
            "report.py", *(path for kind in registry.KINDS for path in kind.captions)
        ),
    message:
        "Writing the report"
    script:
        "../scripts/report.py"


rule verify:
    log:
        "logs/verify.log",
    conda:
        "../../envs/koopman.yaml"
    message:
        "Verifying the chain of digests of every result"
    script:
        "../scripts/verify.py"


localrules:
    summary,
    report,
    verify,
