# Whether the jobs that are to run fit into memory and on the disk, asked when they are known and
# before any of them starts.

from koopscope.config import sizes


def ask():
    """Print what jobs need on a dry run; refuse what cannot fit, warn of what hardly does."""
    needs = registry.needs(EXPERIMENTS.values(), config)
    made = {str(file) for job in workflow.dag.needrun_jobs() for file in job.output}
    asked = [need for path, need in needs.items() if path in made]
    if asked and workflow.dryrun:
        logger.info("\n".join(["Estimated:", *sizes.table(asked), ""]))
    # Elsewhere jobs have other memory than here.
    memory = sizes.memory_available() if workflow.local_exec else None
    try:
        for line in sizes.check(asked, memory, sizes.disk_available(Path("results"))):
            logger.warning(f"Warning: {line}")
    except InputError as error:
        refuse(error)


def then_ask(build):
    def built():
        build()
        if workflow.executor_plugin is not None and not workflow.touch:
            ask()

    return built


if workflow.exec_mode == ExecMode.DEFAULT:
    workflow._build_dag = then_ask(workflow._build_dag)
