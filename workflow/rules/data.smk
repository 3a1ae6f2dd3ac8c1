# Data sets, each under its name and the digest of its definition.


rule data:
    input:
        stage("data", expand("results/data/{data}.zarr", data=sorted(READ))),


rule prepare_data:
    input:
        like=data_like,
    output:
        update(directory("results/data/{data}.zarr")),
    log:
        "logs/data/{data}.log",
    # First of all: whatever is wrong with the data shows before other work starts.
    priority: 100
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=4000,
    params:
        inputs=inputs_expected,
        spec=lambda wildcards: DATA[wildcards.data].to_dict(),
        name=lambda wildcards: DATA[wildcards.data].name,
        code=code("prepare_data.py"),
    message:
        "Preparing the data set {wildcards.data}"
    script:
        "../scripts/prepare_data.py"


# Compute nodes often have no network.
localrules:
    prepare_data,
