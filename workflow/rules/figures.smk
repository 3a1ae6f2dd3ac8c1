# Figures and tables, one folder a study; each can be made again from its data file alone.


rule figures:
    input:
        stage(
            "figures",
            ALL_FIGURES,
            [
                "draw_study",
                "draw_more",
                "draw_transitions",
                "draw_regressors",
                "draw_pruning",
                "draw_stopping",
                "draw_restart",
                "draw_depth",
                "draw_pruned_training",
                "draw_denoising",
            ],
        ),


rule draw_study:
    input:
        comparison="results/comparisons/{study}.zarr",
        curves="results/curves/{study}.zarr",
    output:
        verdicts=report(
            "results/figures/{study}/verdicts.png",
            caption="../report/verdicts.rst",
            category=question,
            labels={"result": "1 verdicts"},
        ),
        table=report(
            "results/figures/{study}/verdicts.csv",
            caption="../report/table.rst",
            category=question,
            labels={"result": "2 table of verdicts"},
        ),
        distances=report(
            "results/figures/{study}/distances.png",
            caption="../report/distances.rst",
            category=question,
            labels={"result": "3 distances"},
        ),
        spectra=report(
            "results/figures/{study}/spectra.png",
            caption="../report/spectra.rst",
            category=question,
            labels={"result": "4 spectra"},
        ),
        residuals=report(
            "results/figures/{study}/residuals.png",
            caption="../report/residuals.rst",
            category=question,
            labels={"result": "5 residuals"},
        ),
        training=report(
            "results/figures/{study}/training.png",
            caption="../report/training.rst",
            category=question,
            labels={"result": "6 training"},
        ),
        vector=[f"results/figures/{{study}}/{figure}.pdf" for figure in FIGURES],
    log:
        "logs/figures/{study}.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("draw_study.py"),
    message:
        "Drawing the figures of the study {wildcards.study}"
    script:
        "../scripts/draw_study.py"


rule draw_more:
    input:
        lambda wildcards: f"results/{SOURCES[wildcards.figure]}/{wildcards.study}.zarr",
    output:
        figure=report(
            "results/figures/{study}.{figure}/{figure}.png",
            caption="../report/more.rst",
            category=question,
            labels=lambda wildcards: {"result": LABELS[wildcards.figure]},
        ),
        vector="results/figures/{study}.{figure}/{figure}.pdf",
    log:
        "logs/figures/{study}.{figure}.log",
    wildcard_constraints:
        figure="|".join(SOURCES),
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("draw_more.py"),
    message:
        "Drawing the figure {wildcards.figure} of the study {wildcards.study}"
    script:
        "../scripts/draw_more.py"
