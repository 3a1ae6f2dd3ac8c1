# A study's spectra against one another, and its training curves.


rule distances:
    input:
        stage(
            "distances",
            [
                f"results/{store}/{name}.zarr"
                for name, study in STUDIES.items()
                for store in study.stores
                if store != "curves"
            ],
        ),


rule compare_study:
    input:
        spectra=of_variants("spectra"),
    output:
        update(directory("results/comparison/{name}.zarr")),
    log:
        "logs/comparison/{name}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=2000,
    params:
        inputs=inputs_expected,
        study=lambda wildcards: STUDIES[wildcards.name].to_dict(),
        compare=config["compare"],
        code=code("compare_study.py"),
    message:
        "Comparing the spectra of the study {wildcards.name}"
    script:
        "../scripts/compare_study.py"


rule vary_estimate:
    input:
        spectra=of_variants("spectra"),
        alternates=lambda wildcards: spectra_of_alternates(STUDIES[wildcards.name]),
    output:
        update(directory("results/sensitivity/{name}.zarr")),
    log:
        "logs/sensitivity/{name}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=2000,
    params:
        inputs=inputs_expected,
        study=lambda wildcards: STUDIES[wildcards.name].to_dict(),
        alternates=lambda wildcards: STUDIES[wildcards.name].alternates_to_dict(),
        compare=config["compare"],
        code=code("vary_estimate.py"),
    message:
        "Comparing the spectra of the study {wildcards.name}, estimated in other ways"
    script:
        "../scripts/vary_estimate.py"


rule count_errors:
    input:
        spectra=of_variants("spectra"),
    output:
        update(directory("results/error_rates/{name}.zarr")),
    log:
        "logs/error_rates/{name}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=4000,
    params:
        inputs=inputs_expected,
        study=lambda wildcards: STUDIES[wildcards.name].to_dict(),
        error_rates=lambda wildcards: asdict(STUDIES[wildcards.name].error_rates),
        compare=config["compare"],
        code=code("count_errors.py"),
    message:
        "Counting how often the verdict of the study {wildcards.name} errs"
    script:
        "../scripts/count_errors.py"


rule collect_curves:
    input:
        trajectories=of_variants("trajectories"),
    output:
        update(directory("results/curves/{name}.zarr")),
    log:
        "logs/curves/{name}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=2000,
    params:
        inputs=inputs_expected,
        study=lambda wildcards: STUDIES[wildcards.name].to_dict(),
        code=code("collect_curves.py"),
    message:
        "Collecting the training curves of the study {wildcards.name}"
    script:
        "../scripts/collect_curves.py"
