# Before anything is planned: one run at a time in a folder, and what a killed one has left set right.
# Reruns after a kill need no other command than the run itself.

import subprocess
import tempfile

from koopscope.artefacts import dates, recovery
from koopscope.artefacts.running import Run

RUN = Run(Path(".snakemake/koopscope.lock"))
# Folders of results that jobs write into; others may hold unfinished recordings of the user's own.
WRITTEN = {"data", "trajectories", "spectra", "snapshots", "pruned", "figures"}
WRITTEN |= {store for kind in registry.KINDS for store in kind.stores}


def set_right():
    """Clear the lock and the leftovers of a run that was killed."""
    locks = Path(".snakemake/locks")
    if any(locks.glob("*.lock")):
        logger.info("Clearing the lock of a run that was killed: its process is gone.")
        shutil.rmtree(locks)
    # Snakemake's copies of what was being made again; it does not go on where one is left.
    for path in recovery.restore(Path(".snakemake/backups"), Path()):
        logger.info(f"Put back {path}, which a killed run was making again.")
    for path in recovery.clear(Path("results"), WRITTEN):
        logger.info(f"Deleted {path}, left by a killed run.")


def put_back():
    """Give a result whose replacement was killed back to its place."""
    for path in recovery.put_back(Path("results"), WRITTEN):
        logger.info(f"Put back {path}, whose replacement was killed.")


def check_folders():
    """Refuse in one line where nothing can be written."""
    for folder in map(Path, ("results", "logs", ".snakemake")):
        if os.path.lexists(folder) and not folder.is_dir():
            sys.exit(
                f"Error: {folder}: a file or a link to nowhere, and the workflow needs a folder "
                "there; move it elsewhere"
            )
        if not os.access(folder if folder.exists() else ".", os.W_OK):
            sys.exit(
                f"Error: {folder}: cannot be written; run in a checkout that can, or give the right"
            )


def asked_to_run():
    """Whether jobs are to be run, or a dry run is to say which."""
    return workflow.executor_plugin is not None and not workflow.touch


def look_only_when_a_job_ends():
    """Take off Snakemake's limit of job starts a second (100) where jobs are this machine's own.

    With a limit every look at the jobs that are ready sets a timer for another look, and every job
    that ends adds a look: at the two-hundredth job that is two hundred looks a second at all others.
    """
    if not workflow.executor_plugin.common_settings.non_local_exec:
        workflow.scheduling_settings.max_jobs_per_timespan = None


def begin(prepare):
    """Do this when it is known what is asked for, and before Snakemake looks at any result."""

    def prepared(**chosen):
        runs = asked_to_run()
        if runs:
            check_folders()
            if not workflow.dryrun:
                speak_for_the_whole()
                look_only_when_a_job_ends()
        if set(workflow.dag_settings.targets) == {"verify"}:
            # It writes nothing. At its end Snakemake would clear the lock of a run beside it.
            return prepare(**chosen | {"nolock": True})
        if runs and workflow.dryrun and RUN.idle():
            put_back()
        elif runs and not workflow.dryrun and not chosen.get("nolock"):
            try:
                if RUN.begin(os.environ):
                    put_back()
                    set_right()
                for path in dates.set_back(READ_BY_JOBS):
                    logger.info(f"{path} was dated in the future, and is set back.")
            except InputError as error:
                sys.exit(f"Error: {error}")
        return prepare(**chosen)

    return prepared


if workflow.exec_mode == ExecMode.DEFAULT:
    workflow._prepare_dag = begin(workflow._prepare_dag)


# What jobs import and take long for it.
IMPORTED_ONCE = (
    "torch",
    "torch._dynamo",  # what optimisers import when the first is made
    "distributed",
    "zarr",
    "dask.array",  # what Xarray imports when the first array is made
    "seaborn",
    "matplotlib.backends.backend_pdf",
    "scipy.stats",
    "ot",
    "snakemake.iocontainers",  # of what a job is told
    "koopscope.controls.fitting",
    "koopscope.training.recording",
    "koopscope.report.style",
)
# With fewer the imports would come too late.
JOBS_WORTH_IT = 8


def import_once():
    """Let the jobs of this machine start from a process that has imported what they need.

    Snakemake starts scripts by `sys.executable`, which becomes the command that asks that process;
    jobs with an environment of their own are started by its interpreter as ever.
    """
    if workflow.executor_plugin.common_settings.non_local_exec:
        return
    if not hasattr(os, "pidfd_open"):
        return
    address = os.path.join(tempfile.mkdtemp(prefix="koopscope-"), "jobs")
    (python,) = shlex.split(sys.executable)
    asked = [python, os.path.join(workflow.basedir, "workflow/preloaded.py")]
    of_one_thread = {f"{of}_NUM_THREADS": "1" for of in ("OMP", "OPENBLAS", "MKL")}
    global PRELOADED
    # Ends when the pipe does, hence with this process, however that ends.
    PRELOADED = subprocess.Popen(
        [*asked, "serve", address, *IMPORTED_ONCE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | of_one_thread,
    )
    sys.executable = shlex.join([python, "-I", "-S", asked[1], address])


# The one block of its name that Snakemake keeps.
onstart:
    jobs = [job.rule.name for job in workflow.dag.needrun_jobs()]
    # Now, and not after hours of training.
    if SCHEDULER is not None and "fit_spectra" in jobs:
        try:
            scheduler.check_answers(SCHEDULER)
        except InputError as error:
            refuse(error)
    if len(jobs) >= JOBS_WORTH_IT:
        import_once()
