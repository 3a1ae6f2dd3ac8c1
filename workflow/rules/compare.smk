# A study's spectra against one another, and its training curves.


def of_variants(folder):
    """Input function: one store for each variant of the study, in the variants' order."""

    def inputs(wildcards):
        variants = STUDIES[wildcards.study].variants
        if folder == "spectra":
            return [f"results/spectra/{v.setup.id}/{v.fit.id}.zarr" for v in variants]
        return [f"results/trajectories/{v.setup.id}.zarr" for v in variants]

    return inputs


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
    params:
        study=lambda wildcards: STUDIES[wildcards.study].canonical(),
        compare=config["compare"],
        code=code("compare_study.py"),
    log:
        "logs/comparisons/{study}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=2000,
    message:
        "Comparing the spectra of the study {wildcards.study}"
    script:
        "../scripts/compare_study.py"


rule collect_curves:
    input:
        trajectories=of_variants("trajectories"),
    output:
        update(directory("results/curves/{study}.zarr")),
    params:
        study=lambda wildcards: STUDIES[wildcards.study].canonical(),
        code=code("collect_curves.py"),
    log:
        "logs/curves/{study}.log",
    conda:
        "../../envs/koopman.yaml"
    resources:
        mem_mb=2000,
    message:
        "Collecting the training curves of the study {wildcards.study}"
    script:
        "../scripts/collect_curves.py"
