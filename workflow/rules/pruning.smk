# Pruning: networks trained with snapshots, pruned after some epochs, and what the ways to prune share.


rule pruning:
    input:
        stage(
            "pruning",
            drawn("pruning"),
            [
                *(
                    f"results/snapshots/{run}/{seed}"
                    for run, pruning in RUNS.items()
                    for seed in pruning.seeds
                ),
                *(path for name in PRUNINGS for path in pruned(name)),
            ],
        ),


rule record_epochs:
    input:
        data=lambda wildcards: f"results/data/{RUNS[wildcards.run].data.id}.zarr",
    output:
        # Gigabytes, read by the next rule alone; `--notemp` keeps them.
        temp(directory("results/snapshots/{run}/{seed}")),
    log:
        "logs/snapshots/{run}.{seed}.log",
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=4000,
    params:
        inputs=inputs_expected,
        protocol=lambda wildcards: RUNS[wildcards.run].training(),
        code=code("record_epochs.py"),
    message:
        "Training {wildcards.run} with snapshots, seed {wildcards.seed}"
    script:
        "../scripts/record_epochs.py"


rule prune_epoch:
    input:
        data=lambda wildcards: f"results/data/{PRUNINGS[wildcards.name].data.id}.zarr",
        snapshots=lambda wildcards: f"results/snapshots/{PRUNINGS[wildcards.name].run}/{wildcards.seed}",
    output:
        update(directory("results/pruned/{name}/{seed}-{epoch}.zarr")),
    log:
        "logs/pruned/{name}.{seed}-{epoch}.log",
    # Before more snapshots are made, so that few lie on the disk at once.
    priority: 10
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=6000,
    params:
        inputs=inputs_expected,
        protocol=lambda wildcards: PRUNINGS[wildcards.name].to_dict("pruning"),
        code=code("prune_epoch.py"),
    message:
        "Pruning after epoch {wildcards.epoch} of seed {wildcards.seed}, {wildcards.name}"
    script:
        "../scripts/prune_epoch.py"


rule gather_pruning:
    input:
        lambda wildcards: list(pruned(wildcards.name)),
    output:
        update(directory("results/pruning/{name}.zarr")),
    log:
        "logs/pruning/{name}.log",
    conda:
        "../../envs/networks.yaml"
    resources:
        mem_mb=1000,
    params:
        inputs=inputs_expected,
        protocol=lambda wildcards: PRUNINGS[wildcards.name].to_dict("pruning"),
        question=lambda wildcards: PRUNINGS[wildcards.name].question,
        code=code("gather_pruning.py"),
    message:
        "Gathering the seeds and epochs of {wildcards.name}"
    script:
        "../scripts/gather_pruning.py"
