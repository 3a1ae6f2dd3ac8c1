"""Tables of a question on stopping, each with what its columns mean."""

from koopscope.report.frames import AGAINST, Frame, flat

FRAMES = {
    "rules": Frame(
        "A rule on the runs of one kind, at the setting fixed beforehand",
        lambda facts: [flat(row) for row in facts["rules"]],
        {
            "arm": "the runs",
            "rule": "the rule",
            "threshold": "its setting",
            "saved": "epochs saved, mean over runs",
            "lost": "accuracy lost, mean over runs, percentage points",
            "lost_by_fixed": "accuracy lost by a fixed budget of that length, percentage points",
            "less_lost": "accuracy lost less than by that budget, percentage points",
            "reached": "share of runs that it stops",
        },
    ),
    "accuracies": Frame(
        "The runs of one kind",
        lambda facts: [
            {"arm": arm, "accuracy": accuracy}
            for arm, accuracy in zip(facts["arms"], facts["accuracy"], strict=True)
        ],
        {"arm": "the runs", "accuracy": "test accuracy at the end of the budget, mean, share"},
    ),
    "against": AGAINST,
}
