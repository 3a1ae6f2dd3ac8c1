# A study's spectra against one another, and its training curves.


rule distances:
    input:
        stage(
            "distances",
            [
                *expand("results/comparisons/{study}.zarr", study=STUDIES),
                *expand("results/sensitivity/{study}.zarr", study=SENSITIVE),
                *expand("results/calibration/{study}.zarr", study=CALIBRATED),
            ],
            ["compare_study", "vary_estimate", "calibrate_verdict"],
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


rule vary_estimate:
    input:
        spectra=of_variants("spectra"),
        trajectories=lambda wildcards: [
            f"results/trajectories/{setup}.zarr"
            for setup in setups_of_alternates(STUDIES[wildcards.study])
        ],
    output:
        update(directory("results/sensitivity/{study}.zarr")),
    log:
        "logs/sensitivity/{study}.log",
    conda:
        "../../envs/koopman.yaml"
    threads: config["koopman"]["threads"] if SCHEDULER is None else 1
    resources:
        mem_mb=4000,
    params:
        study=lambda wildcards: STUDIES[wildcards.study].canonical(),
        alternates=lambda wildcards: STUDIES[wildcards.study].canonical_alternates(),
        compare=config["compare"],
        code=code("vary_estimate.py"),
    message:
        "Estimating the spectra of the study {wildcards.study} in other ways"
    script:
        "../scripts/vary_estimate.py"


rule calibrate_verdict:
    input:
        spectra=of_variants("spectra"),
    output:
        update(directory("results/calibration/{study}.zarr")),
    log:
        "logs/calibration/{study}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=4000,
    params:
        study=lambda wildcards: STUDIES[wildcards.study].canonical(),
        calibration=lambda wildcards: asdict(STUDIES[wildcards.study].calibration),
        compare=config["compare"],
        code=code("calibrate_verdict.py"),
    message:
        "Counting how often the verdict of the study {wildcards.study} errs"
    script:
        "../scripts/calibrate_verdict.py"


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
