"""Names, rules and numbers that plans, runs, figures and words of grokking share.

Rules and thresholds were fixed before any spectrum of such runs was looked at (docs/decisions.md).
"""

# Lines that every question has by itself: new draws of the reference, and of the renamed data.
FRESH, RENAMED = "fresh", "renamed"
LINES = (FRESH, RENAMED)
# Seeds of a group are the question's plus so many times its place: no two groups share a draw.
STRIDE = 10_000
# Places of groups: the reference, its two lines, then the others; far behind them the settings.
FIRST_GROUP, FIRST_SETTING = 3, 1000
# A run has memorised at this accuracy on its training pairs, generalised at this one on the others;
# it groks if it is still below HELD_BACK on the others when it has memorised, and generalises
# later.
MEMORISED, GENERALISED, HELD_BACK = 0.99, 0.95, 0.9
# An area needs so many runs of both ends, of so many settings.
FEWEST_RUNS, FEWEST_SETTINGS = 5, 3
# Points of a curve that a predictor sees, as shares of the way to its horizon.
SEEN = (0.25, 0.5, 0.75, 1.0)
# What predicts whether a run will generalise.
SPECTRUM, NORM, LOSS = "spectrum", "weight norm", "training loss"
BASELINE, TOGETHER = "norm + loss", "all together"
CONFIGURATION, TEST = "configuration", "test accuracy"
# Of fingerprints that know nothing.
CHANCE = "chance"
PREDICTORS = (SPECTRUM, NORM, LOSS, BASELINE, TOGETHER, CONFIGURATION, TEST)
# What the spectrum has to be better than, and what it has to add to.
PAIRS = (*((SPECTRUM, other) for other in (NORM, LOSS, BASELINE, TEST)), (TOGETHER, BASELINE))
EQUIVALENT, DIFFERENT, OPEN = "equivalent", "different", "open"
