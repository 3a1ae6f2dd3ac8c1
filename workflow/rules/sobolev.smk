# Negative Sobolev losses: networks fitted to noise under each loss, beside plain filters.


rule sobolev:
    input:
        stage("sobolev", DENOISING_FIGURES, ["denoise"]),


rule denoise:
    output:
        update(directory("results/sobolev/{sobolev}.zarr")),
    log:
        "logs/sobolev/{sobolev}.log",
    benchmark:
        "logs/sobolev/{sobolev}.tsv"
    conda:
        "../../envs/networks.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=TRAINS_ON_GPU,
        mem_mb=4000,
    params:
        experiment=lambda wildcards: DENOISINGS[wildcards.sobolev].canonical(),
        code=code("denoise.py"),
    message:
        "Fitting networks to the noise of {wildcards.sobolev}"
    script:
        "../scripts/denoise.py"


rule draw_denoising:
    input:
        "results/sobolev/{sobolev}.zarr",
    output:
        errors=report(
            "results/figures/{sobolev}.denoising/errors.png",
            caption="../report/errors.rst",
            category=question,
            labels={"result": "1 error by noise"},
        ),
        bands=report(
            "results/figures/{sobolev}.denoising/bands.png",
            caption="../report/bands.rst",
            category=question,
            labels={"result": "2 error by band"},
        ),
        reconstructions=report(
            "results/figures/{sobolev}.denoising/reconstructions.png",
            caption="../report/reconstructions.rst",
            category=question,
            labels={"result": "3 reconstructions"},
        ),
        learning=report(
            "results/figures/{sobolev}.denoising/learning.png",
            caption="../report/learning.rst",
            category=question,
            labels={"result": "4 what is learned when"},
        ),
        modes=report(
            "results/figures/{sobolev}.denoising/modes.png",
            caption="../report/modes.rst",
            category=question,
            labels={"result": "5 Koopman modes of the outputs"},
        ),
        vector=expand(
            "results/figures/{{sobolev}}.denoising/{figure}.pdf",
            figure=DENOISING_NAMES,
        ),
    log:
        "logs/figures/{sobolev}.denoising.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        kind="sobolev",
        code=code("draw_kind.py"),
    message:
        "Drawing the denoising of {wildcards.sobolev}"
    script:
        "../scripts/draw_kind.py"
