# What came out, as a page and as a text; and the proof of it.


rule summary:
    input:
        comparisons=expand("results/comparisons/{study}.zarr", study=STUDIES),
        curves=expand("results/curves/{study}.zarr", study=STUDIES),
        calibrations=expand("results/calibration/{study}.zarr", study=CALIBRATED),
        sensitivities=expand("results/sensitivity/{study}.zarr", study=SENSITIVE),
        transitions=expand(
            "results/hsvr/transitions/{experiment}.zarr", experiment=EXPERIMENTS
        ),
        baselines=expand(
            "results/hsvr/baselines/{experiment}.zarr", experiment=WITH_BASELINES
        ),
        prunings=expand("results/pruning/{pruning}.zarr", pruning=PRUNINGS),
        monitors=[
            f"results/monitor/{plan.kind}/{name}.zarr"
            for name, plan in MONITORS.items()
        ],
        denoisings=expand("results/sobolev/{sobolev}.zarr", sobolev=DENOISINGS),
    output:
        text="results/summary.md",
        facts="results/summary.json",
    log:
        "logs/summary.log",
    conda:
        "../../envs/figures.yaml"
    params:
        studies=list(STUDIES),
        configuration=[os.path.relpath(file) for file in workflow.configfiles],
        code=code("summary.py"),
    message:
        "Summing up what came out"
    script:
        "../scripts/summary.py"


rule report:
    input:
        figures=ALL_FIGURES,
        facts="results/summary.json",
    output:
        "results/report.html",
    log:
        "logs/report.log",
    conda:
        "../../envs/report.yaml"
    params:
        code=code("report.py"),
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
