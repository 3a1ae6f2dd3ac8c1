# Pruning: networks trained with snapshots, pruned after some epochs, and what the ways to prune share.


rule pruning:
    input:
        stage(
            "pruning",
            PRUNING_FIGURES,
            ["record_epochs", "prune_epoch"],
        ),


rule record_epochs:
    input:
        data=lambda wildcards: f"results/data/{RUNS[wildcards.run].data.id}.zarr",
    output:
        # Gigabytes, read by the next rule alone; `--notemp` keeps them.
        temp(directory("results/snapshots/{run}/{seed}")),
    log:
        "logs/snapshots/{run}.{seed}.log",
    benchmark:
        "logs/snapshots/{run}.{seed}.tsv"
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=4000,
    params:
        protocol=lambda wildcards: RUNS[wildcards.run].training(),
        code=code("record_epochs.py"),
    message:
        "Training {wildcards.run} with snapshots, seed {wildcards.seed}"
    script:
        "../scripts/record_epochs.py"


rule prune_epoch:
    input:
        data=lambda wildcards: f"results/data/{PRUNINGS[wildcards.pruning].data.id}.zarr",
        snapshots=lambda wildcards: f"results/snapshots/{PRUNINGS[wildcards.pruning].run}/{wildcards.seed}",
    output:
        update(directory("results/pruning/epochs/{pruning}/{seed}-{epoch}.zarr")),
    log:
        "logs/pruning/{pruning}.{seed}-{epoch}.log",
    # Before more snapshots are made, so that few lie on the disk at once.
    priority: 10
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=6000,
    params:
        protocol=lambda wildcards: PRUNINGS[wildcards.pruning].canonical(),
        code=code("prune_epoch.py"),
    message:
        "Pruning after epoch {wildcards.epoch} of seed {wildcards.seed}, {wildcards.pruning}"
    script:
        "../scripts/prune_epoch.py"


rule gather_pruning:
    input:
        lambda wildcards: expand(
            "results/pruning/epochs/{pruning}/{seed}-{epoch}.zarr",
            pruning=wildcards.pruning,
            seed=PRUNINGS[wildcards.pruning].seeds,
            epoch=PRUNINGS[wildcards.pruning].protocol.epochs,
        ),
    output:
        update(directory("results/pruning/{pruning}.zarr")),
    log:
        "logs/pruning/{pruning}.log",
    conda:
        "../../envs/networks.yaml"
    resources:
        mem_mb=1000,
    params:
        protocol=lambda wildcards: PRUNINGS[wildcards.pruning].canonical(),
        question=lambda wildcards: PRUNINGS[wildcards.pruning].question,
        code=code("gather_pruning.py"),
    message:
        "Gathering the seeds and epochs of {wildcards.pruning}"
    script:
        "../scripts/gather_pruning.py"


rule draw_pruning:
    input:
        "results/pruning/{pruning}.zarr",
    output:
        overlap=report(
            "results/figures/{pruning}.pruning/overlap.png",
            caption="../report/overlap.rst",
            category=question,
            labels={"result": "1 overlap of what is kept"},
        ),
        accuracy=report(
            "results/figures/{pruning}.pruning/pruned_accuracy.png",
            caption="../report/pruned_accuracy.rst",
            category=question,
            labels={"result": "2 accuracy after pruning"},
        ),
        fixed_points=report(
            "results/figures/{pruning}.pruning/fixed_points.png",
            caption="../report/fixed_points.rst",
            category=question,
            labels={"result": "3 eigenvalue taken for 1"},
        ),
        kept=report(
            "results/figures/{pruning}.pruning/kept_by_layer.png",
            caption="../report/kept_by_layer.rst",
            category=question,
            labels={"result": "4 what each layer keeps"},
        ),
        vector=expand(
            "results/figures/{{pruning}}.pruning/{figure}.pdf", figure=PRUNING
        ),
    log:
        "logs/figures/{pruning}.pruning.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="pruning",
        code=code("draw_kind.py"),
    message:
        "Drawing the pruning of {wildcards.pruning}"
    script:
        "../scripts/draw_kind.py"
