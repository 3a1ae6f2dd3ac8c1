"""What networks under many losses need of memory and disk."""

from collections.abc import Iterator

from koopscope.config.sizes import TORCH, Need, Part
from koopscope.data.names import SIGNALS
from koopscope.experiments.denoising.names import DIGITS, PLANE_WAVES, STOPS
from koopscope.experiments.denoising.plan import Denoising
from koopscope.experiments.sizes import SINGLE, Sections

# Bytes of an output at the peak: as recorded, stacked, and in single precision.
OUTPUT = 20


def needs(question: Denoising, sections: Sections) -> Iterator[Need]:
    """Of its store: one signal and level of noise after another, all networks of it as one."""
    sizes = {name: points ** _axes(name) for name, points in question.signals}
    name = max(sizes, key=lambda signal: sizes[signal])
    points = {f"signals.{name}": dict(question.signals)[name]}
    rates, losses = len(question.learning_rates), len(question.losses)
    tuned = losses * rates * len(question.tuning_seeds) if rates > 1 else 0
    # Each way to stop has a best rate of its own.
    last = losses * min(rates, len(STOPS)) * len(question.seeds)
    networks = max(tuned, last)
    records = question.steps // question.record_every + 2
    width, features = question.width, question.fourier_features
    layers = {"width": width, "fourier_features": features}
    memory = (
        Part(
            OUTPUT * records * networks * sizes[name],
            points | {"steps": question.steps, "record_every": question.record_every},
        ),
        Part(SINGLE * networks * sizes[name] * (features + 6 * width), points | layers),
        Part(6 * SINGLE * networks * (features + width) * (width + 1), layers),
    )
    shown = (losses * len(STOPS) + len(question.filters) + 2) * SINGLE
    # Curves of each record, and the largest grid's values for each signal and level.
    cases = len(question.signals) * len(question.snr)
    curves = 16 * SINGLE * losses * len(question.seeds) * records
    disk = (
        Part(cases * shown * sizes[name], points),
        Part(cases * curves, {"steps": question.steps}),
    )
    path, where = f"results/denoising/{question.name}.zarr", f"sobolev.{question.name}"
    yield Need(path, "denoising", where, TORCH, memory, disk)


def _axes(name: str) -> int:
    if name in SIGNALS:
        return len(SIGNALS[name].extents)
    return 2 if name in (PLANE_WAVES, DIGITS) else 1
