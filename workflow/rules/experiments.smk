# Experiments whose runs are one job each: known answers, early phases, watched runs, hierarchical regression,
# denoising. What there is of them says the registry (src/koopscope/experiments/registry.py).


rule known_answers:
    input:
        stage("known_answers", drawn("known_answers"), made("known_answers")),


rule grokking:
    input:
        stage("grokking", drawn("grokking"), made("grokking")),


rule early_phase:
    input:
        stage("early_phase", drawn("early_phase"), made("early_phase")),


rule hsvr:
    input:
        stage("hsvr", drawn("hsvr"), made("hsvr")),


rule monitor:
    input:
        stage("monitor", drawn("monitor"), made("monitor")),


rule sobolev:
    input:
        stage("sobolev", drawn("sobolev"), made("sobolev")),


rule run_experiment:
    input:
        data_of,
    output:
        update(directory("results/{store}/{name}.zarr")),
    log:
        "logs/{store}/{name}.log",
    wildcard_constraints:
        store=made_by(registry.FITS),
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=4000,
    params:
        inputs=inputs_expected,
        plan=lambda wildcards: EXPERIMENTS[wildcards.name].to_dict(wildcards.store),
        planner=lambda wildcards: kind_of(wildcards).module("plan"),
        runs=lambda wildcards: kind_of(wildcards).runs(wildcards.store),
        code=lambda wildcards: code(
            "run_experiment.py", kind_of(wildcards).runs(wildcards.store)
        ),
    message:
        "Running {wildcards.name}: {wildcards.store}"
    script:
        "../scripts/run_experiment.py"


use rule run_experiment as train_experiment with:
    wildcard_constraints:
        store=made_by(registry.NETWORKS),
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]


use rule run_experiment as train_experiment_on_device with:
    wildcard_constraints:
        store=made_by(registry.DEVICE),
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=4000,
