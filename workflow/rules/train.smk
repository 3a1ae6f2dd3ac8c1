# Trajectories, one store a setup; studies that share a setup share its store.


rule train:
    input:
        stage("train", expand("results/trajectories/{setup}.zarr", setup=SETUPS)),


rule train_network:
    input:
        data=lambda wildcards: f"results/data/{NETWORKS[wildcards.setup].data.id}.zarr",
    output:
        (update if KEPT else temp)(directory("results/trajectories/{setup}.zarr")),
    log:
        "logs/trajectories/{setup}.log",
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
        reads="koopscope.config.setup:network_from_dict",
        records="koopscope.training.recording:record",
        code=code(
            "train_network.py",
            "koopscope.config.setup",
            "koopscope.training.recording",
        ),
    message:
        "Training {wildcards.setup}"
    script:
        "../scripts/train_network.py"


# The same of networks of any module; a change of the file of one's own trains anew.
use rule train_network as train_model with:
    input:
        data=lambda wildcards: f"results/data/{MODELS[wildcards.setup].data.id}.zarr",
    wildcard_constraints:
        setup="model-[^/]+",
    params:
        inputs=inputs_expected,
        setup=lambda wildcards: MODELS[wildcards.setup].to_dict(),
        reads="koopscope.config.models:model_from_dict",
        records="koopscope.training.module_recording:record_modules",
        code=lambda wildcards: code(
            "train_network.py",
            "koopscope.config.models",
            "koopscope.training.module_recording",
            *own_modules(MODELS[wildcards.setup]),
        ),


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
