# Koopman spectra, one store a setup and fit.


rule spectra:
    input:
        stage("spectra", [f"results/spectra/{setup}/{fit}.zarr" for setup, fit in FITS]),


rule fit_spectra:
    input:
        trajectories="results/trajectories/{setup}.zarr",
    output:
        update(directory("results/spectra/{setup}/{fit}.zarr")),
    log:
        "logs/spectra/{setup}/{fit}.log",
    conda:
        "../../envs/koopman.yaml"
    # With a scheduler elsewhere a job only waits for it.
    threads: config["koopman"]["threads"] if SCHEDULER is None else 1
    resources:
        mem_mb=4000,
    params:
        inputs=inputs_expected,
        fit=lambda wildcards: FITS[wildcards.setup, wildcards.fit].to_dict(),
        code=code("fit_spectra.py"),
    message:
        "Fitting Koopman spectra of {wildcards.setup}"
    script:
        "../scripts/fit_spectra.py"
