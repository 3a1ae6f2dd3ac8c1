# What is to be done: the configuration, checked, and the studies, setups and fits that it asks for.

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
# Scripts run in environments of their own, which need not have the package installed.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
)


envvars:
    "PYTHONPATH",


from koopscope import provenance, scheduler, schema
from koopscope.denoisings import denoisings_from
from koopscope.errors import InputError
from koopscope.experiments import experiments_from
from koopscope.monitoring import plans_from
from koopscope.setup import NetworkSetup
from koopscope.planning import check_names, studies_from
from koopscope.pruning_plans import prunings_from
from koopscope.study import setups_of


def refuse(error):
    """End with one line, as a wrong configuration does."""
    names = ", ".join(os.path.relpath(file) for file in workflow.configfiles)
    sys.exit(f"Error: {names or 'no configuration file'}: {error}")


try:
    for file in workflow.configfiles:
        schema.load_yaml(file)
    rules_of_config = schema.load_yaml(
        Path(workflow.basedir) / "workflow/schemas/config.schema.yaml"
    )
    config = schema.check(config, rules_of_config)
    STUDIES = studies_from(config)
    EXPERIMENTS = experiments_from(config)
    PRUNINGS = prunings_from(config)
    MONITORS = plans_from(config)
    DENOISINGS = denoisings_from(config)
    # Of which figures and tables are filed by name.
    check_names(config, ["studies", "hsvr", "pruning", "monitor", "sobolev"])
    SCHEDULER = config["koopman"]["scheduler"]
    if SCHEDULER is not None:
        scheduler.host_and_port(SCHEDULER)
except InputError as error:
    refuse(error)

SETUPS = setups_of(STUDIES)
NETWORKS = {id: s for id, s in SETUPS.items() if isinstance(s, NetworkSetup)}
OPTIMIZERS = {id: s for id, s in SETUPS.items() if id not in NETWORKS}
DATA = {spec.id: spec for s in NETWORKS.values() for spec in s.data.chain()}
# Training runs with snapshots, which experiments may share.
RUNS = {pruning.run: pruning for pruning in PRUNINGS.values()}
WATCHED = [runs for plan in MONITORS.values() for runs in plan.runs]
DATA |= {
    spec.id: spec for run in (*RUNS.values(), *WATCHED) for spec in run.data.chain()
}
USED_DATA = sorted(
    {trained.data.id for trained in (*NETWORKS.values(), *RUNS.values(), *WATCHED)}
)
TRAINS_ON_GPU = int(config["training"]["device"] not in ("auto", "cpu"))
SCANS = [name for name, study in STUDIES.items() if study.scan]
SENSITIVE = [name for name, study in STUDIES.items() if study.alternates]
CALIBRATED = [name for name, study in STUDIES.items() if study.calibration]
WITH_BASELINES = [
    name for name, experiment in EXPERIMENTS.items() if experiment.baselines
]

FITS = {
    (variant.setup.id, variant.fit.id): variant.fit
    for study in STUDIES.values()
    for variant in study.variants
}
FIGURES = ["training", "spectra", "residuals", "distances", "verdicts"]
# Figures that only some studies have: the folder of results that each is drawn from.
SOURCES = {
    "scan": "comparisons",
    "sensitivity": "sensitivity",
    "false_positives": "calibration",
    "power": "calibration",
    "metrics": "calibration",
}
LABELS = {
    "scan": "1 effect along the factors",
    "sensitivity": "7 other ways to estimate",
    "false_positives": "7 false positives",
    "power": "8 power",
    "metrics": "9 other distances",
}
HAVING = {"comparisons": SCANS, "sensitivity": SENSITIVE, "calibration": CALIBRATED}
PRUNING = ["overlap", "pruned_accuracy", "fixed_points", "kept_by_layer"]
PRUNING_FIGURES = [
    f"results/figures/{name}.pruning/{figure}.png"
    for name in PRUNINGS
    for figure in PRUNING
]
MONITOR_FIGURES = [
    f"results/figures/{name}.{plan.kind}/{figure}.png"
    for name, plan in MONITORS.items()
    for figure in plan.figures
]
EXPERIMENT_FIGURES = [
    *(
        f"results/figures/{name}.transitions/{figure}.png"
        for name in EXPERIMENTS
        for figure in ("transitions", "layers")
    ),
    *(f"results/figures/{name}.regressors/regressors.png" for name in WITH_BASELINES),
]
DENOISING_NAMES = ["errors", "bands", "reconstructions", "learning", "modes"]
DENOISING_FIGURES = [
    f"results/figures/{name}.denoising/{figure}.png"
    for name in DENOISINGS
    for figure in DENOISING_NAMES
]
ALL_FIGURES = [
    *(
        f"results/figures/{study}/{figure}.png"
        for study in STUDIES
        for figure in FIGURES
    ),
    *(
        f"results/figures/{study}.{figure}/{figure}.png"
        for figure, source in SOURCES.items()
        for study in HAVING[source]
    ),
    *EXPERIMENT_FIGURES,
    *PRUNING_FIGURES,
    *MONITOR_FIGURES,
    *DENOISING_FIGURES,
]

# The captions of the report quote the last run's numbers; no rule depends on them.
SUMMARY = Path("results/summary.json")
config["facts"] = json.loads(SUMMARY.read_text()) if SUMMARY.exists() else {}


def code(script):
    """Digest of a script and of all that it reaches in the library: its change reruns the rule."""
    return provenance.code_digest(Path(workflow.basedir) / "workflow/scripts" / script)


def stage(name, files, workers):
    """Inputs of a stage's target; forcing the stage forces the rules that do its work."""

    def inputs(wildcards):
        if name in workflow.dag_settings.forcerun:
            workflow.dag.forcerules.update(map(workflow.get_rule, workers))
        return files

    return inputs


def data_like(wildcards):
    like = DATA[wildcards.data].like
    return f"results/data/{like.id}.zarr" if like else []


def of_variants(folder):
    """Input function: one store for each variant of the study, in the variants' order."""

    def inputs(wildcards):
        variants = STUDIES[wildcards.study].variants
        if folder == "spectra":
            return [f"results/spectra/{v.setup.id}/{v.fit.id}.zarr" for v in variants]
        return [f"results/trajectories/{v.setup.id}.zarr" for v in variants]

    return inputs


def data_of_runs(wildcards):
    """The data set of each of the runs of a question about watching training, in their order."""
    return [f"results/data/{r.data.id}.zarr" for r in MONITORS[wildcards.monitor].runs]


def setups_of_alternates(study):
    """Ids of the setups whose trajectories a study's alternates read, each once."""
    return dict.fromkeys(v.setup.id for a in study.alternates for v in a.variants)


def question(wildcards):
    for kind, questions in (
        ("study", STUDIES),
        ("experiment", EXPERIMENTS),
        ("pruning", PRUNINGS),
        ("monitor", MONITORS),
        ("sobolev", DENOISINGS),
    ):
        if kind in wildcards.keys():
            return questions[wildcards[kind]].question
