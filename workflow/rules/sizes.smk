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
    memory, disk = sizes.memory_available(), sizes.disk_available(Path("results"))
    # Elsewhere jobs have other memory than here; a dry run knows it by its number of jobs alone.
    nodes = workflow.dryrun and workflow.resource_settings.nodes is not None
    elsewhere = nodes or not workflow.local_exec
    try:
        lines = sizes.check(asked, None if elsewhere else memory, disk)
    except InputError as error:
        refuse(error)
    if elsewhere:
        try:
            lines += sizes.check(asked, memory, None)
        except InputError as error:
            lines.append(f"{error} (where jobs run; here they would not fit)")
    for line in lines:
        logger.warning(f"Warning: {line}")


def then_ask(build):
    def built():
        build()
        if asked_to_run():
            ask()

    return built


if workflow.exec_mode == ExecMode.DEFAULT:
    workflow._build_dag = then_ask(workflow._build_dag)
