"""Tables of a pruning experiment, each with what its columns mean."""

from collections.abc import Callable, Mapping
from typing import Any

from koopscope.report.frames import Frame, Row, along, flat

COMMON = {
    "epoch": "epoch after which is pruned",
    "compression": "weights before ÷ after pruning",
    "method": "the way to prune",
}


def _by_compression(key: str, column: str) -> Callable[[Mapping[str, Any]], list[Row]]:
    return lambda facts: along(
        facts[key], "compression", facts["compression_ratios"], {"cells": column}
    )


FRAMES = {
    "overlaps": Frame(
        "Two ways to prune after an epoch at a compression",
        _by_compression("overlaps", "jaccard"),
        COMMON
        | {
            "pair": "the two ways to prune",
            "jaccard": "Jaccard index of what they keep, mean over seeds",
            "spearman": "Spearman's rank correlation of their scores, mean over seeds",
        },
    ),
    "accuracies": Frame(
        "A way to prune after an epoch at a compression",
        _by_compression("accuracies", "accuracy"),
        COMMON
        | {
            "moment": "before or after fine-tuning",
            "accuracy": "accuracy on the test set, mean over seeds, share",
        },
    ),
    "unpruned": Frame(
        "An epoch",
        lambda facts: [
            flat({"epoch": epoch, "accuracy": cell})
            for epoch, cell in zip(facts["epochs"], facts["unpruned"], strict=True)
        ],
        COMMON | {"accuracy": "accuracy of the whole network on the test set, mean, share"},
    ),
    "differences": Frame(
        "Koopman magnitude less a control after an epoch at a compression",
        _by_compression("differences", "difference"),
        COMMON
        | {
            "what": "the difference in words",
            "measure": "what is measured",
            "baseline": "the control",
            "difference": "difference paired by seed, mean over seeds",
        },
    ),
    "eigenvalues": Frame(
        "The eigenvalue taken for 1 after an epoch; medians over seeds",
        lambda facts: [flat(row) for row in facts["eigenvalues"]],
        COMMON
        | {
            "distance": "its distance from 1",
            "residual": "its relative residual",
            "second_distance": "distance from 1 of the next one",
            "second_residual": "relative residual of the next one",
            "gap": "distance of the two",
            "decaying_share": "share of the weights' amplitude that decays",
            "refused": "windows in which no score could be had, count",
            "reason": "why, for the first of them",
        },
    ),
    "kept": Frame(
        "A layer under a way to prune after an epoch, at the sharp compression",
        lambda facts: along(facts["kept"], "layer", facts["layers"], {"cells": "kept"}),
        COMMON | {"layer": "the layer", "kept": "share of its weights kept, mean over seeds"},
    ),
    "predicted": Frame(
        "What goes with the overlap of Koopman with magnitude pruning",
        lambda facts: [flat(row) for row in facts["predicted"]],
        {
            "by": "what the spectrum says",
            "rho": "rank correlation with the overlap",
            "count": "windows, count",
        },
    ),
}
