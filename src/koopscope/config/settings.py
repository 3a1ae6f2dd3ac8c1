"""How all is done: the sections of a configuration that are no list of questions."""

from dataclasses import dataclass
from typing import Annotated

from koopscope.config.controls import MEASURED
from koopscope.config.distances import DISTANCES
from koopscope.config.key import key
from koopscope.config.values import checked

CORRECTIONS = ("holm", "bh", "none")
# Of studies, unless told otherwise: those that known answers chose (docs/findings.md). Here, since
# training reads what is beside the names of coordinates.
DEFAULT_COORDINATES = "normal_scores+per_step"
# Of runs of someone's own: scores of ranks see no rate of a decay without noise.
OWN_COORDINATES = "per_step"


@dataclass(frozen=True)
class Training:
    """How networks are trained: the keys of ``training``."""

    device: Annotated[
        str,
        key(
            "device: `auto` (CUDA, then MPS, then processor), `cpu`, `cuda` (the first GPU that "
            "the job sees), `cuda:1`, …; one job uses one GPU; all but `auto` and `cpu` ask "
            "Snakemake for one `gpu` (`--resources gpu=1`). Questions of kind `depth` and "
            "`pruned_training` always run on the processor"
        ),
    ] = "auto"
    threads: Annotated[
        int,
        key("processor threads of one training job; other numbers give other last bits", ge=1),
    ] = 2
    keep: Annotated[
        bool,
        key(
            "whether trajectories stay; else they are deleted once read, trained anew when asked "
            "for, and have no sketch or probe that no fit reads; the stage `train` keeps them"
        ),
    ] = True

    def __post_init__(self) -> None:
        """Refuse a device that there never is."""
        checked(self)


@dataclass(frozen=True)
class Fitting:
    """Where spectra are fitted: the keys of ``koopman``."""

    scheduler: Annotated[
        str | None,
        key(
            "address of a Dask scheduler, such as `tcp://node1:8786`; `null` for one inside each "
            "job. Its workers need one thread each (`--nthreads 1`), this checkout's koopscope, "
            "and the results under the same path; whatever differs is refused"
        ),
    ] = None
    threads: Annotated[
        int,
        key("threads of a job's own scheduler; the numbers do not depend on it", ge=1),
    ] = 2


@dataclass(frozen=True)
class Comparing:
    """How variants are compared: the keys of ``compare``."""

    alpha: Annotated[float, key("level of the permutation test", gt=0, lt=1)] = 0.05
    permutations: Annotated[int, key("random relabellings of the seeds", ge=99)] = 999
    bootstrap: Annotated[int, key("resamples of the seeds for an effect's interval", ge=100)] = 1000
    smallest_effect: Annotated[
        float | str,
        key(
            "smallest ratio of distances, between ÷ within, that counts as a difference; "
            "`measured` for the largest upper 95 % bound of a study's recoded control lines, at "
            "least 1, or 1.1 where there is none",
            one_of=(MEASURED,),
            ge=1,
        ),
    ] = 1.1
    correction: Annotated[
        str,
        key("correction of p for a study's many pairs: `holm`, `bh` or `none`", one_of=CORRECTIONS),
    ] = "holm"
    distance: Annotated[
        str,
        key(
            "distance of two spectra by which the verdict is reached: `wasserstein` (every "
            "eigenvalue counts alike), `residual_weighted`, `amplitude_weighted` or `hausdorff`",
            one_of=tuple(DISTANCES),
        ),
    ] = "wasserstein"


@dataclass(frozen=True)
class Drawing:
    """How figures are drawn: the keys of ``figures``."""

    width: Annotated[
        str,
        key(
            "width of figures on a journal's page: `single` (a column, 3.5 in or 89 mm) or "
            "`double` (the page, 7.2 in or 183 mm), which what does not fit a column has anyway",
            one_of=("single", "double"),
        ),
    ] = "double"


SECTIONS = {"training": Training, "koopman": Fitting, "compare": Comparing, "figures": Drawing}
