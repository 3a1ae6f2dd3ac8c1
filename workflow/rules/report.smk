# What came out, as a page and as a text; and the proof of it.


rule summary:
    input:
        [path for name in EXPERIMENTS for path in stores_of(name).values()],
    output:
        text=update("results/summary.md"),
        facts=update("results/summary.json"),
        tables=update(directory("results/tables")),
    log:
        "logs/summary.log",
    conda:
        "../../envs/figures.yaml"
    params:
        inputs=inputs_expected,
        experiments={
            name: {
                "kind": experiment.kind,
                "section": registry.kind_of(experiment.kind).section,
                "stores": stores_of(name),
            }
            for name, experiment in EXPERIMENTS.items()
        },
        configuration=[os.path.relpath(file) for file in workflow.configfiles],
        code=code(
            "summary.py",
            *(
                kind.module(part)
                for kind in registry.KINDS
                for part in registry.SUMMED_UP
            ),
        ),
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
        inputs=inputs_expected,
        shown={
            name: [
                s.name for those in shown(name).values() for s in those if not s.page
            ]
            for name in EXPERIMENTS
        },
        code=code(
            "report.py", *(path for kind in registry.KINDS for path in kind.captions)
        ),
    message:
        "Writing the report"
    script:
        "../scripts/report.py"


rule answers:
    input:
        figures=drawn(),
        facts="results/summary.json",
    output:
        update("results/answers.html"),
    log:
        "logs/answers.log",
    conda:
        "../../envs/report.yaml"
    params:
        inputs=inputs_expected,
        code=code(
            "answers.py",
            Path(workflow.basedir) / "src/koopscope/experiments/answers.html",
        ),
    message:
        "Writing the page of answers"
    script:
        "../scripts/answers.py"


rule verify:
    log:
        "logs/verify.log",
    conda:
        "../../envs/koopman.yaml"
    params:
        outputs=OUTPUTS,
        delete=False,
    message:
        "Verifying the chain of digests of every result"
    script:
        "../scripts/verify.py"


# With the rule after it `make repair`.
use rule verify as delete_refuted with:
    log:
        "logs/delete_refuted.log",
    params:
        outputs=OUTPUTS,
        delete=True,
    message:
        "Deleting every result that is refuted"


# What is missing, also where all that was made of it is there.
rule every_output:
    input:
        list(OUTPUTS),


localrules:
    summary,
    report,
    answers,
    verify,
    delete_refuted,
    every_output,
