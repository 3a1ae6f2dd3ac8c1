# Hierarchical regression: where the error falls, what each rule foretells, what else could be fitted.


rule hsvr:
    input:
        stage(
            "hsvr",
            EXPERIMENT_FIGURES,
            ["find_transitions", "compare_regressors"],
        ),


rule find_transitions:
    output:
        update(directory("results/hsvr/transitions/{experiment}.zarr")),
    log:
        "logs/hsvr/transitions/{experiment}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=4000,
    params:
        experiment=lambda wildcards: EXPERIMENTS[wildcards.experiment].canonical(),
        code=code("find_transitions.py"),
    message:
        "Fitting hierarchies to the signals of {wildcards.experiment}"
    script:
        "../scripts/find_transitions.py"


rule compare_regressors:
    output:
        update(directory("results/hsvr/baselines/{experiment}.zarr")),
    log:
        "logs/hsvr/baselines/{experiment}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=4000,
    params:
        experiment=lambda wildcards: EXPERIMENTS[wildcards.experiment].canonical(),
        baselines=lambda wildcards: EXPERIMENTS[
            wildcards.experiment
        ].canonical_baselines(),
        code=code("compare_regressors.py"),
    message:
        "Fitting other regressors to the signals of {wildcards.experiment}"
    script:
        "../scripts/compare_regressors.py"


rule draw_transitions:
    input:
        "results/hsvr/transitions/{experiment}.zarr",
    output:
        transitions=report(
            "results/figures/{experiment}.transitions/transitions.png",
            caption="../report/transitions.rst",
            category=question,
            labels={"result": "1 error by layer"},
        ),
        layers=report(
            "results/figures/{experiment}.transitions/layers.png",
            caption="../report/layers.rst",
            category=question,
            labels={"result": "2 layers predicted and observed"},
        ),
        vector=expand(
            "results/figures/{{experiment}}.transitions/{figure}.pdf",
            figure=["transitions", "layers"],
        ),
    log:
        "logs/figures/{experiment}.transitions.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="transitions",
        code=code("draw_kind.py"),
    message:
        "Drawing the layers of {wildcards.experiment}"
    script:
        "../scripts/draw_kind.py"


rule draw_regressors:
    input:
        "results/hsvr/baselines/{experiment}.zarr",
    output:
        figure=report(
            "results/figures/{experiment}.regressors/regressors.png",
            caption="../report/regressors.rst",
            category=question,
            labels={"result": "3 other regressors"},
        ),
        vector="results/figures/{experiment}.regressors/regressors.pdf",
    log:
        "logs/figures/{experiment}.regressors.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="baselines",
        code=code("draw_kind.py"),
    message:
        "Drawing the regressors of {wildcards.experiment}"
    script:
        "../scripts/draw_kind.py"
