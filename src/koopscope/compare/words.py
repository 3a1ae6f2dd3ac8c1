"""The words for what came out, once for all places.

Equal spectra are necessary for conjugate training, not sufficient, so a pair is "distinguished",
"not distinguished" or the test is "inconclusive", and nothing stronger.
"""

DISTINGUISHED = "distinguished"
NOT_DISTINGUISHED = "not distinguished"
INCONCLUSIVE = "inconclusive"
# Why it is, where only distances are asked for.
UNTESTED = "the study asks for no test"
# Of something against a baseline.
BETTER, WORSE, NEITHER = "better", "worse", "neither"


def word(better: bool, worse: bool) -> str:
    """``better``, ``worse`` or ``neither``."""
    return BETTER if better else WORSE if worse else NEITHER
