"""Tables of a question on losses and noise, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import Frame, Row, along, flat

COMMON = {
    "signal": "the signal",
    "snr": "level of noise, signal to noise, dB",
    "loss": "the loss",
    "method": "the loss of a network, or a filter",
    "stop": "how training ends: final, discrepancy or least (an oracle)",
    "seeds": "seeds, count",
}
ERROR = "root mean square error against the clean values ÷ their standard deviation, median"


def _bests(facts: Mapping[str, Any]) -> list[Row]:
    rows = []
    for row in facts["against"]:
        found = {name: row[name] for name in ("signal", "snr", "stop", "seeds", "tried", "wins")}
        found["mse"] = row["mse"]
        for name in ("best", "blind", "oracle"):
            one = row[name] or {"name": None, "spread": None}
            found |= {name: one["name"], f"{name}_error": one["spread"]}
        rows.append(flat(found))
    return rows


def _ratios(facts: Mapping[str, Any]) -> list[Row]:
    return [
        {name: row[name] for name in ("signal", "snr", "stop", "seeds")} | flat(loss)
        for row in facts["against"]
        for loss in row["losses"]
    ]


def _listed(key: str, axis: str, values: str, column: str, *names: str) -> Any:
    """Rows whose own lists give the axis and its values."""

    def rows(facts: Mapping[str, Any]) -> list[Row]:
        return [
            flat({name: row[name] for name in names} | {axis: place, column: value})
            for row in facts[key]
            for place, value in zip(row[f"{axis}s"], row[values], strict=True)
        ]

    return rows


FRAMES = {
    "errors": Frame(
        "A method on a signal at a level of noise",
        lambda facts: along(facts["errors"], "snr", facts["snr"], {"errors": "error"}),
        COMMON | {"error": f"{ERROR} over seeds"},
    ),
    "bests": Frame(
        "A signal at a level of noise and an end of training",
        _bests,
        COMMON
        | {
            "tried": "losses beside mean squared error, count",
            "wins": "seeds in which the best loss beats mean squared error, count",
            "mse": f"{ERROR}, of mean squared error",
            "best": "the loss with the least median error",
            "best_error": f"{ERROR}, of the best loss",
            "blind": "the best filter without an oracle",
            "blind_error": f"{ERROR}, of that filter",
            "oracle": "the best filter with an oracle",
            "oracle_error": f"{ERROR}, of that filter",
        },
    ),
    "ratios": Frame(
        "A loss beside mean squared error",
        _ratios,
        COMMON
        | {
            "wins": "seeds in which it is better, count",
            "losses": "seeds in which it is worse or not finite, count",
            "ratio": "error ÷ that of mean squared error of the same seed, median",
        },
    ),
    "bands": Frame(
        "A band of wave numbers under a method",
        _listed("bands", "name", "medians", "error", "signal", "snr", "method"),
        COMMON | {"name": "the band, periods in the domain", "error": "error of the band, median"},
    ),
    "learned": Frame(
        "A tone under a loss",
        _listed("learned", "tone", "steps", "step", "signal", "snr", "loss"),
        COMMON
        | {
            "tone": "the tone, periods in the domain",
            "step": "step from which on it keeps half of its amplitude, median; empty for never",
        },
    ),
    "orders": Frame(
        "A loss at a level of noise",
        lambda facts: [flat(row, leave=("tones", "steps")) for row in facts["learned"]],
        COMMON
        | {
            "order": "rank correlation of the modes' time constants with wave number, median",
            "untrusted": "share of modes with a residual above the limit",
        },
    ),
    "rates": Frame(
        "A learning rate of a loss, on the tuning seeds",
        _listed("rates", "trial", "errors", "error", "signal", "snr", "loss", "taken"),
        COMMON
        | {
            "trial": "Adam's learning rate",
            "error": "error after the last step",
            "taken": "the rate that was taken",
        },
    ),
}
