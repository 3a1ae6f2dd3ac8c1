# Figures and tables: a folder for each store with all that its kind shows of it, and one for what
# only some experiments have.


# What pages of their own are made of, beside code.
OF_PAGES = [
    Path(workflow.basedir) / "src/koopscope/report" / name
    for name in ("hover.html", "chart/chart.umd.min.js")
]


rule figures:
    input:
        stage("figures", drawn()),


rule draw:
    input:
        lambda wildcards: f"results/{store_drawn(wildcards)}/{wildcards.name}.zarr",
    output:
        report(
            update(directory("results/figures/{name}/{folder}")),
            patterns=["{figure}.png", "{figure}.csv"],
            caption="../report/caption.rst",
            category=lambda wildcards: EXPERIMENTS[wildcards.name].question,
            labels=lambda wildcards: {"result": label(wildcards)},
        ),
    log:
        "logs/figures/{name}.{folder}.log",
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=2000,
    params:
        inputs=inputs_expected,
        kind=lambda wildcards: store_drawn(wildcards),
        width=config["figures"]["width"],
        functions=lambda wildcards: {
            figure.name: figure.function for figure in of_folder(wildcards)
        },
        code=lambda wildcards: code(
            "draw.py",
            *{figure.function.split(":")[0] for figure in of_folder(wildcards)},
            *(OF_PAGES if any(figure.page for figure in of_folder(wildcards)) else ()),
        ),
    message:
        "Drawing {wildcards.name}: {wildcards.folder}"
    script:
        "../scripts/draw.py"
