# A study's spectra against one another, and its training curves.


rule distances:
    input:
        stage(
            "distances",
            expand("results/comparisons/{study}.zarr", study=STUDIES),
            ["compare_study"],
        ),


rule compare_study:
    input:
        spectra=of_variants("spectra"),
    output:
        update(directory("results/comparisons/{study}.zarr")),
    log:
        "logs/comparisons/{study}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=2000,
    params:
        study=lambda wildcards: STUDIES[wildcards.study].canonical(),
        compare=config["compare"],
        code=code("compare_study.py"),
    message:
        "Comparing the spectra of the study {wildcards.study}"
    script:
        "../scripts/compare_study.py"


rule collect_curves:
    input:
        trajectories=of_variants("trajectories"),
    output:
        update(directory("results/curves/{study}.zarr")),
    log:
        "logs/curves/{study}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=2000,
    params:
        study=lambda wildcards: STUDIES[wildcards.study].canonical(),
        code=code("collect_curves.py"),
    message:
        "Collecting the training curves of the study {wildcards.study}"
    script:
        "../scripts/collect_curves.py"
