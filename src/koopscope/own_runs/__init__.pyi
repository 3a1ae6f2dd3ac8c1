from .answer import RunsComparison as RunsComparison
from .compare import compare_runs as compare_runs
