"""Names and numbers that plans, runs, figures and words of the early phase share."""

# Windows of one length, or each as long as all before it.
EVEN, GEOMETRIC = "even", "geometric"
SPACINGS = (EVEN, GEOMETRIC)
# What is fitted beside single layers.
ALL = "all layers"
# Plain numbers of a run that its spectra are set beside, each with its unit.
LOSS, GRADIENT, DISTANCE, ANGLE = "loss", "gradient length", "distance from the start", "angle"
MARKERS = {
    LOSS: "of the batch",
    GRADIENT: "all parameters",
    DISTANCE: "recorded numbers",
    ANGLE: "of successive steps, degrees",
}
# What may come out of the question when the early phase ends; or inconclusive.
ENDS, NOT_OVER, NONE_SEEN = "ends", "not over", "none seen"
# Why nothing is said of windows of several lengths: strided snapshots of a walk that never changes
# are told apart (docs/findings-early-phase.md).
UNEVEN = (
    "windows are of several lengths, and such windows of runs that never change are told apart "
    "too, so no end can be said"
)


def in_coordinates(coordinates: str) -> str:
    """Name of the fit of all layers in other coordinates than the question's."""
    return f"{ALL}, {coordinates}"
