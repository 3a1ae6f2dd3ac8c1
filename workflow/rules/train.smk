# Trajectories, one store a setup; studies that share a setup share its store.


rule train:
    input:
        stage("train", expand("results/trajectories/{setup}.zarr", setup=SETUPS)),


rule train_network:
    input:
        data=lambda wildcards: f"results/data/{NETWORKS[wildcards.setup].data.id}.zarr",
    output:
        update(directory("results/trajectories/{setup}.zarr")),
    log:
        "logs/trajectories/{setup}.log",
    benchmark:
        "logs/trajectories/{setup}.tsv"
    wildcard_constraints:
        setup="mlp-[^/]+",
    conda:
        "../../envs/train.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=8000,
    params:
        inputs=inputs_expected,
        setup=lambda wildcards: NETWORKS[wildcards.setup].to_dict(),
        code=code("train_network.py"),
    message:
        "Training {wildcards.setup}"
    script:
        "../scripts/train_network.py"


rule train_model:
    input:
        data=lambda wildcards: f"results/data/{MODELS[wildcards.setup].data.id}.zarr",
    output:
        update(directory("results/trajectories/{setup}.zarr")),
    log:
        "logs/trajectories/{setup}.log",
    benchmark:
        "logs/trajectories/{setup}.tsv"
    wildcard_constraints:
        setup="model-[^/]+",
    conda:
        "../../envs/train.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=8000,
    params:
        inputs=inputs_expected,
        setup=lambda wildcards: MODELS[wildcards.setup].to_dict(),
        code=lambda wildcards: code(
            "train_model.py", *own_modules(MODELS[wildcards.setup])
        ),
    message:
        "Training {wildcards.setup}"
    script:
        "../scripts/train_model.py"


rule run_optimizer:
    output:
        update(directory("results/trajectories/{setup}.zarr")),
    log:
        "logs/trajectories/{setup}.log",
    wildcard_constraints:
        setup="(omd|ogd|bisection)-[^/]+",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=1000,
    params:
        setup=lambda wildcards: OPTIMIZERS[wildcards.setup].to_dict(),
        code=code("run_optimizer.py"),
    message:
        "Running {wildcards.setup}"
    script:
        "../scripts/run_optimizer.py"


# The digests of what the runs hold are part of the name: others are made when a run changes.
rule bring_in_runs:
    output:
        update(directory("results/trajectories/{setup}.zarr")),
    log:
        "logs/trajectories/{setup}.log",
    wildcard_constraints:
        setup="runs-[^/]+",
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=4000,
    params:
        setup=lambda wildcards: RECORDED[wildcards.setup].to_dict(),
        code=code("bring_in_runs.py"),
    message:
        "Bringing in {wildcards.setup}"
    script:
        "../scripts/bring_in_runs.py"
