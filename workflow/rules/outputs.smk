# What each result has to be: its kind, its parameters and the names of its inputs, as its stamp has
# them. Whoever reads a result checks it against this, and so does `snakemake verify`.

from koopscope.artefacts.expected import expected


def stores_expected():
    """What each store has to be, by its path, but for those that are deleted once they were read."""
    found = {
        f"results/data/{id}.zarr": expected(
            "data", d.to_dict(), [f"results/data/{d.like.id}.zarr"] if d.like else []
        )
        for id, d in DATA.items()
    }
    for id, setup in SETUPS.items():
        data = [f"results/data/{setup.data.id}.zarr"] if id in NETWORKS | MODELS else []
        path = f"results/trajectories/{id}.zarr"
        found[path] = expected("trajectories", setup.to_dict(), data)
    for (setup, fit), spec in FITS.items():
        trajectories = [f"results/trajectories/{setup}.zarr"]
        path = f"results/spectra/{setup}/{fit}.zarr"
        found[path] = expected("spectra", spec.to_dict(), trajectories)
    for name, study in STUDIES.items():
        found |= of_study(name, study)
    for name, pruning in PRUNINGS.items():
        found |= of_pruning(name, pruning)
    for name, experiment in EXPERIMENTS.items():
        if registry.kind_of(experiment.kind).job:
            data = [f"results/data/{d.id}.zarr" for d in experiment.data_sets]
            for kind, path in stores_of(name).items():
                found[path] = expected(kind, experiment.to_dict(kind), data)
    return found


def of_study(name, study):
    """What the stores of a study have to be."""
    spectra = spectra_of(study.fitted)
    trajectories = [f"results/trajectories/{v.setup.id}.zarr" for v in study.variants]
    judged = {"study": study.to_dict(), "compare": config["compare"]}
    found = {
        "comparison": (judged, spectra),
        "curves": (study.to_dict(), trajectories),
        "sensitivity": (
            judged | {"alternates": study.alternates_to_dict()},
            [*spectra, *spectra_of_alternates(study)],
        ),
    }
    if study.error_rates:
        rates = judged | {"error_rates": asdict(study.error_rates)}
        found["error_rates"] = (rates, spectra)
    return {
        path: expected(kind, *found[kind]) for kind, path in stores_of(name).items()
    }


def of_pruning(name, pruning):
    """What the stores of a pruning experiment have to be, but for its snapshots."""
    protocol = pruning.to_dict("pruning")
    data = [f"results/data/{pruning.data.id}.zarr"]
    found = {
        path: expected("pruned", protocol | of, data)
        for path, of in pruned(name).items()
    }
    named = {"study": name, "question": pruning.question}
    path = f"results/pruning/{name}.zarr"
    return found | {path: expected("pruning", protocol | named, pruned(name))}


SNAPSHOTS = {
    f"results/snapshots/{run}/{seed}": expected(
        "epochs",
        pruning.training() | {"seed": seed},
        [f"results/data/{pruning.data.id}.zarr"],
    )
    for run, pruning in RUNS.items()
    for seed in pruning.seeds
}
STORES = stores_expected()
# Deleted when all have read them; whoever reads them still checks that they are what is asked for.
LET_GO = SNAPSHOTS | {
    path: STORES.pop(path)
    for path in [f"results/trajectories/{setup}.zarr" for setup in NETWORKS | MODELS]
    if not KEPT
}
FIGURES = {
    f"results/figures/{name}/{folder}": expected(
        "figures",
        {"name": name, "folder": folder, **config["figures"]},
        [stores_of(name)[those[0].of]],
    )
    for name in EXPERIMENTS
    for folder, those in shown(name).items()
}
SUMMARY = expected(
    "summary",
    {"configuration": [os.path.relpath(file) for file in workflow.configfiles]},
    [path for name in EXPERIMENTS for path in stores_of(name).values()],
)
# All that a finished run leaves.
OUTPUTS = (
    STORES
    | FIGURES
    | dict.fromkeys(
        ["results/summary.md", "results/summary.json", "results/tables"], SUMMARY
    )
)
# Of the report what it was made of is known: of the configuration it quotes more than it rests on.
OUTPUTS["results/report.html"] = expected(
    "report", None, [*FIGURES, "results/summary.json"]
)
OUTPUTS["results/answers.html"] = expected(
    "answers", {}, [*FIGURES, "results/summary.json"]
)


READ_BY_JOBS = OUTPUTS | LET_GO


def inputs_expected(wildcards, input):
    """What each input of a job has to be."""
    return {str(path): READ_BY_JOBS[path] for path in input}
