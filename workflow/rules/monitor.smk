# Watching training by its spectrum: each kind of question has a rule that asks it and one that draws.


rule monitor:
    input:
        stage(
            "monitor",
            MONITOR_FIGURES,
            sorted({f"watch_{plan.kind}" for plan in MONITORS.values()}),
        ),


rule watch_stopping:
    input:
        data_of_runs,
    output:
        update(directory("results/monitor/stopping/{monitor}.zarr")),
    log:
        "logs/monitor/{monitor}.stopping.log",
    benchmark:
        "logs/monitor/{monitor}.stopping.tsv"
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=4000,
    params:
        plan=lambda wildcards: MONITORS[wildcards.monitor].canonical(),
        code=code("watch_runs.py"),
    message:
        "Training and stopping the runs of {wildcards.monitor}"
    script:
        "../scripts/watch_runs.py"


use rule watch_stopping as watch_restart with:
    output:
        update(directory("results/monitor/restart/{monitor}.zarr")),
    log:
        "logs/monitor/{monitor}.restart.log",
    benchmark:
        "logs/monitor/{monitor}.restart.tsv"
    message:
        "Training good and bad starts of {wildcards.monitor}"


rule draw_stopping:
    input:
        "results/monitor/stopping/{monitor}.zarr",
    output:
        curves=report(
            "results/figures/{monitor}.stopping/stopping_curves.png",
            caption="../report/stopping_curves.rst",
            category=question,
            labels={"result": "1 where each rule stops"},
        ),
        tradeoff=report(
            "results/figures/{monitor}.stopping/stopping_tradeoff.png",
            caption="../report/stopping_tradeoff.rst",
            category=question,
            labels={"result": "2 epochs saved and accuracy lost"},
        ),
        spectra=report(
            "results/figures/{monitor}.stopping/stopping_spectra.png",
            caption="../report/stopping_spectra.rst",
            category=question,
            labels={"result": "3 eigenvalues along training"},
        ),
        vector=expand(
            "results/figures/{{monitor}}.stopping/{figure}.pdf",
            figure=["stopping_curves", "stopping_tradeoff", "stopping_spectra"],
        ),
    log:
        "logs/figures/{monitor}.stopping.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="stopping",
        code=code("draw_kind.py"),
    message:
        "Drawing when the runs of {wildcards.monitor} stop"
    script:
        "../scripts/draw_kind.py"


rule draw_restart:
    input:
        "results/monitor/restart/{monitor}.zarr",
    output:
        spectra=report(
            "results/figures/{monitor}.restart/restart_spectra.png",
            caption="../report/restart_spectra.rst",
            category=question,
            labels={"result": "1 spectra of good and bad starts"},
        ),
        auc=report(
            "results/figures/{monitor}.restart/restart_auc.png",
            caption="../report/restart_auc.rst",
            category=question,
            labels={"result": "2 how well a bad end is predicted"},
        ),
        savings=report(
            "results/figures/{monitor}.restart/restart_savings.png",
            caption="../report/restart_savings.rst",
            category=question,
            labels={"result": "3 steps saved by starting again"},
        ),
        vector=expand(
            "results/figures/{{monitor}}.restart/{figure}.pdf",
            figure=["restart_spectra", "restart_auc", "restart_savings"],
        ),
    log:
        "logs/figures/{monitor}.restart.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="restart",
        code=code("draw_kind.py"),
    message:
        "Drawing the starts of {wildcards.monitor}"
    script:
        "../scripts/draw_kind.py"


rule watch_depth:
    input:
        data_of_runs,
    output:
        update(directory("results/monitor/depth/{monitor}.zarr")),
    log:
        "logs/monitor/{monitor}.depth.log",
    benchmark:
        "logs/monitor/{monitor}.depth.tsv"
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=4000,
    params:
        plan=lambda wildcards: MONITORS[wildcards.monitor].canonical(),
        code=code("watch_depth.py"),
    message:
        "Training the depths of {wildcards.monitor}"
    script:
        "../scripts/watch_depth.py"


rule watch_pruned_training:
    input:
        data_of_runs,
    output:
        update(directory("results/monitor/pruned_training/{monitor}.zarr")),
    log:
        "logs/monitor/{monitor}.pruned_training.log",
    benchmark:
        "logs/monitor/{monitor}.pruned_training.tsv"
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=4000,
    params:
        plan=lambda wildcards: MONITORS[wildcards.monitor].canonical(),
        code=code("watch_pruned_training.py"),
    message:
        "Pruning while training: {wildcards.monitor}"
    script:
        "../scripts/watch_pruned_training.py"


rule draw_depth:
    input:
        "results/monitor/depth/{monitor}.zarr",
    output:
        depths=report(
            "results/figures/{monitor}.depth/depths.png",
            caption="../report/depths.rst",
            category=question,
            labels={"result": "1 depths foretold and observed"},
        ),
        vector="results/figures/{monitor}.depth/depths.pdf",
    log:
        "logs/figures/{monitor}.depth.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="depth",
        code=code("draw_kind.py"),
    message:
        "Drawing the depths of {wildcards.monitor}"
    script:
        "../scripts/draw_kind.py"


rule draw_pruned_training:
    input:
        "results/monitor/pruned_training/{monitor}.zarr",
    output:
        pruned=report(
            "results/figures/{monitor}.pruned_training/pruned_training.png",
            caption="../report/pruned_training.rst",
            category=question,
            labels={"result": "1 accuracy by time and operations"},
        ),
        vector="results/figures/{monitor}.pruned_training/pruned_training.pdf",
    log:
        "logs/figures/{monitor}.pruned_training.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="pruned_training",
        code=code("draw_kind.py"),
    message:
        "Drawing the pruning of {wildcards.monitor}"
    script:
        "../scripts/draw_kind.py"
