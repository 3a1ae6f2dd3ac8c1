"""Names and numbers that plans, runs, figures and words of denoising share."""

import math

from koopscope.data.names import SIGNALS

# Power of the amplitude of a tone of k periods.
TONES = {"falling-tones": -0.5, "equal-tones": 0.0}
PLANE_WAVES, DIGITS = "plane-waves", "digits"
TARGETS = (*TONES, PLANE_WAVES, DIGITS, *SIGNALS)
# Side of a digit in points.
DIGIT_SIDE = 8
# A filter with "oracle" in its name has seen the clean values.
NOISY, ORACLE = "noisy", "oracle"
FILTERS = (NOISY, "wiener-oracle", "wiener-estimated", "low-pass-oracle")
FILTERS += ("savitzky-golay-oracle", "visushrink", "bayesshrink")
# The loss that others are measured against, and what is tried beside it by default.
PLAIN_LOSS = "mse"
LOSSES = (PLAIN_LOSS, "s0.5", "s1", "s2", "linear2", "sum2")
# How a network's training ends.
FINAL, LEAST, DISCREPANCY = "final", "least", "discrepancy"
STOPS = {
    FINAL: "last step",
    DISCREPANCY: "stopped by the residual",
    LEAST: "least error (oracle)",
}


def band_name(low: float, high: float) -> str:
    """Name of a band of wave numbers, in periods in the domain."""
    return f"{low:.3g}–{high:.3g}" if math.isfinite(high) else f"above {low:.3g}"
