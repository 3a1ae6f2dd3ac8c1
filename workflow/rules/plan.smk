# What is to be done: the configuration, checked, and what its experiments ask for.

import os
import shlex
import shutil
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

# Snakemake puts it into the commands of jobs as it is, and a folder's name may hold spaces.
sys.executable = shlex.quote(sys.executable)
SOURCE = Path(workflow.basedir) / "src"
if unfit := [c for c in "{}:" if c in workflow.basedir + os.getcwd() + sys.executable]:
    sys.exit(
        f"Error: {workflow.basedir}: Snakemake and PYTHONPATH cannot do with {unfit[0]!r} in the "
        "name of the checkout, of where it runs, or of its Python; rename the folder"
    )
sys.path.insert(0, str(SOURCE))
# Scripts run in environments of their own, which need not have the package installed.
# The folder that this runs in comes last: a module of one's own may lie there.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")]), os.getcwd()]
)
sys.path.append(os.getcwd())


envvars:
    "PYTHONPATH",


from koopscope.artefacts.code import code_digest
from snakemake.utils import update_config
from koopscope.config import files, scheduler
from koopscope.config.plain import check_plain
from koopscope.config.reading import settings
from koopscope.config.runs import RecordedRuns
from koopscope.config.models import ModelSetup
from koopscope.config.setup import NetworkSetup, OnlineSetup
from koopscope.errors import InputError
from koopscope.experiments import registry
from koopscope.experiments.equivalence.sparing import sparing
from koopscope.experiments.equivalence.study import setups_of


def refuse(error):
    """End with one line, as a wrong configuration does."""
    names = ", ".join(map(os.path.relpath, workflow.configfiles))
    sys.exit(f"Error: {names or 'no configuration file'}: {error}")


# Not named by the profile, since Snakemake reads what is named before anything here is run: what is
# wrong with this one is said in one line.
if not workflow.configfiles:
    workflow.configfiles.append(Path(workflow.basedir) / "config/config.yaml")
try:
    # Again, since Snakemake reads YAML 1.1, in which 1e-3 is a text and `on` is none.
    READ_AGAIN = [files.load(os.path.relpath(file)) for file in workflow.configfiles]
except InputError as error:
    sys.exit(f"Error: {error}")
try:
    config.clear()
    for read in READ_AGAIN:
        # Before it is merged, which would not end with what stands inside of itself.
        check_plain({name: of for name, of in read.items() if name != "captions"})
        update_config(config, read)
    update_config(config, files.as_written(workflow.config_settings.config))
    # The report brings its captions along; nothing is planned by them.
    captions = config.pop("captions", {})
    registry.check()
    EXPERIMENTS = registry.read(config)
    if not EXPERIMENTS:
        raise InputError(f"no question; give one in {', '.join(registry.sections())}")
    config |= {name: asdict(found) for name, found in settings(config).items()}
    SCHEDULER = config["koopman"]["scheduler"]
    if SCHEDULER is not None:
        scheduler.host_and_port(SCHEDULER)
except InputError as error:
    refuse(error)
config["captions"] = captions


def of_kind(name):
    """Experiments of a kind, by name."""
    return {n: e for n, e in EXPERIMENTS.items() if e.kind == name}


if not config["training"]["keep"]:
    EXPERIMENTS |= sparing(of_kind("equivalence"))
STUDIES = of_kind("equivalence")
PRUNINGS = of_kind("pruning")
SETUPS = setups_of(STUDIES.values())
NETWORKS = {id: s for id, s in SETUPS.items() if isinstance(s, NetworkSetup)}
MODELS = {id: s for id, s in SETUPS.items() if isinstance(s, ModelSetup)}
OPTIMIZERS = {id: s for id, s in SETUPS.items() if isinstance(s, OnlineSetup)}
RECORDED = {id: s for id, s in SETUPS.items() if isinstance(s, RecordedRuns)}
# Data sets that something reads, and those that they are made from.
READ = {spec.id: spec for e in EXPERIMENTS.values() for spec in e.data_sets}
DATA = {link.id: link for spec in READ.values() for link in spec.chain()}
# Training runs with snapshots, which experiments may share.
RUNS = {pruning.run: pruning for pruning in PRUNINGS.values()}
FITS = {
    (variant.setup.id, variant.fit.id): variant.fit
    for study in STUDIES.values()
    for variant in study.every_variant
}
# Gigabytes, which nothing reads again once spectra are fitted and curves collected.
# Asked of the command line, since Snakemake says later what it is asked for.
KEPT = config["training"]["keep"] or "train" in sys.argv
TRAINS_ON_GPU = int(config["training"]["device"] not in ("auto", "cpu"))


def kind_of(wildcards):
    return registry.kind_of(EXPERIMENTS[wildcards.name].kind)


def stores_of(name):
    """Paths of an experiment's stores, by the stores' names."""
    return {store: f"results/{store}/{name}.zarr" for store in EXPERIMENTS[name].stores}


def shown(name):
    """Figures and tables of an experiment, by their folder."""
    experiment = EXPERIMENTS[name]
    return registry.kind_of(experiment.kind).shown_of(experiment)


def drawn(*sections):
    """Folders of figures, of all sections of the configuration or of some."""
    return [
        f"results/figures/{name}/{folder}"
        for name, experiment in EXPERIMENTS.items()
        if not sections or registry.kind_of(experiment.kind).section in sections
        for folder in shown(name)
    ]


def made(*sections):
    """Stores of the experiments of some sections of the configuration."""
    return [
        path
        for name, experiment in EXPERIMENTS.items()
        if registry.kind_of(experiment.kind).section in sections
        for path in stores_of(name).values()
    ]


def code(script, *more):
    """Digest of a script and of all that it reaches in the library: its change reruns the rule.

    What a script loads by name is given as more: modules by their dotted names, and other files.
    """
    return code_digest(Path(workflow.basedir) / "workflow/scripts" / script, *more)


def own_modules(*setups):
    """Files of the modules of one's own that setups name: their change trains anew."""
    named = [s.module.partition(":")[0] for s in setups if s.module is not None]
    return [Path(find_spec(module).origin) for module in dict.fromkeys(named)]


def stage(name, files, forced=None):
    """Inputs of a stage's target; forcing the stage makes all of some files again."""

    def inputs(wildcards):
        if name in workflow.dag_settings.forcerun:
            workflow.dag.forcefiles.update(files if forced is None else forced)
        return files

    return inputs


def data_like(wildcards):
    like = DATA[wildcards.data].like
    return f"results/data/{like.id}.zarr" if like else []


def data_of(wildcards):
    """Each data set that an experiment's run reads, in their order."""
    return [f"results/data/{d.id}.zarr" for d in EXPERIMENTS[wildcards.name].data_sets]


def spectra_of(fitted):
    """Stores of the spectra of variants and control lines, in their order."""
    return [f"results/spectra/{v.setup.id}/{v.fit.id}.zarr" for v in fitted]


def of_variants(folder):
    """Input function: one store for each variant of the study, in the variants' order.

    Control lines have spectra of their own, of trajectories that variants have too.
    """

    def inputs(wildcards):
        study = STUDIES[wildcards.name]
        if folder == "spectra":
            return spectra_of(study.fitted)
        return [f"results/trajectories/{v.setup.id}.zarr" for v in study.variants]

    return inputs


def spectra_of_alternates(study):
    """Spectra that a study's alternates compare, in their order; studies share what is the same."""
    return spectra_of(v for alternate in study.alternates for v in alternate.fitted)


def pruned(name):
    """Seed and epoch that each store of pruned networks of an experiment is of, by its path."""
    return {
        f"results/pruned/{name}/{seed}-{epoch}.zarr": {"seed": seed, "epoch": epoch}
        for seed in PRUNINGS[name].seeds
        for epoch in PRUNINGS[name].protocol.epochs
    }


def made_by(job):
    """Pattern of the stores of all kinds that have such a job."""
    stores = [s for kind in registry.KINDS if kind.job == job for s in kind.stores]
    return "|".join(stores) or "(?!)"


def of_folder(wildcards):
    """Figures and tables of a folder."""
    return shown(wildcards.name)[wildcards.folder]


def store_drawn(wildcards):
    """Name of the store that they are drawn of."""
    return of_folder(wildcards)[0].of


def label(wildcards):
    """What the report calls a figure or a table."""
    return {f.name: f.label for f in of_folder(wildcards)}[wildcards.figure]
