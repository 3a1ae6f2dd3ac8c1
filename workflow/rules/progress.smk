# What a person sees while jobs run: one line for each finished job, of the whole run. Which job
# starts when, and why, stands in Snakemake's own log.

import logging

from koopscope.artefacts.overall import Overall
from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import ExecMode
from snakemake_interface_logger_plugins.common import LogEvent

# What the line says, or Snakemake's log.
LEFT_OUT = {
    LogEvent.RUN_INFO,
    LogEvent.RESOURCES_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.JOB_INFO,
    LogEvent.JOB_FINISHED,
    LogEvent.SHELLCMD,
}
CHATTER = ("Select jobs to execute", "Building DAG of jobs", "Using shell: ")
CHATTER += (
    "Rules claiming more threads",
    "Conda environments: ignored",
    "Provided cores",
)


class Line(logging.Formatter):
    """Formatter and filter of Snakemake's handler for the terminal: leaves all errors as they are."""

    def __init__(self, usual):
        super().__init__()
        self.usual, self.overall = usual, Overall()
        self.messages, self.last = {}, ""

    def filter(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            self.messages[record.jobid] = record.rule_msg or record.rule_name
        elif event == LogEvent.JOB_FINISHED:
            self.last = self.messages.get(record.job_id, "")
        return event not in LEFT_OUT and not str(record.msg).startswith(CHATTER)

    def format(self, record):
        if getattr(record, "event", None) == LogEvent.PROGRESS:
            return self.overall.line(record.done, record.total, self.last)
        return self.usual.format(record)


def speak_for_the_whole():
    """Say one line a job from here on; `--verbose` leaves Snakemake's own words."""
    for handler in for_terminal():
        line = Line(handler.formatter)
        handler.setFormatter(line)
        handler.addFilter(line)


def for_terminal():
    """Snakemake's handlers for the terminal; none where it was asked to be verbose."""
    talks = logger.level <= logging.DEBUG
    return [
        h for h in logger.handlers if h.name == "DefaultStreamHandler" and not talks
    ]


# Said before it is known what is asked for; a dry run keeps it.
if workflow.exec_mode == ExecMode.DEFAULT and not workflow.output_settings.dryrun:
    for shown_on in for_terminal():
        shown_on.addFilter(
            lambda record: getattr(record, "event", None) != LogEvent.WORKFLOW_STARTED
        )
