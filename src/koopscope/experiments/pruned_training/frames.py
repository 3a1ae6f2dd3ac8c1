"""Tables of a question on pruning while training, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.experiments.pruned_training.summary import COSTS
from koopscope.report.frames import AGAINST, Frame, Row, flat


def _costs(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat(
            {
                "method": row["method"],
                "cost": cost,
                "to_target": row["costs"][cost],
                "to_dense": row["to_dense"].get(cost),
            }
        )
        for row in facts["methods"]
        for cost in COSTS
    ]


FRAMES = {
    "methods": Frame(
        "A method",
        lambda facts: [
            flat(row, leave=("costs", "to_dense", "sentence")) for row in facts["methods"]
        ],
        {
            "method": "the method",
            "seeds": "seeds, count",
            "reached": "seeds that reach the target, count",
            "compared": "seeds in which the dense run reaches it too, count",
            "accuracy": "accuracy on the test set at the end, median over seeds, share",
            "weights_kept": "share of weights kept in the end, median over seeds",
            "units_kept": "share of units kept in the end, median over seeds",
            "score_seconds": "time of all scores of a run, median over seeds, seconds",
            "refused": "prunings in which no score could be had, count",
        },
    ),
    "costs": Frame(
        "A method and a cost",
        _costs,
        {
            "method": "the method",
            "cost": "seconds, processor seconds, or multiplications (of kept weights: nonzero)",
            "to_target": "cost to the target, median over the seeds that reach it",
            "to_dense": "the same ÷ that of the dense run of the seed, median",
        },
    ),
    "against": AGAINST,
}
