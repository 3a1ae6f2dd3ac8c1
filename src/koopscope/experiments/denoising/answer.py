"""The answer of a question on losses and noise: what each makes of it."""

from collections.abc import Mapping
from typing import Any

from koopscope.experiments.denoising.names import FINAL, STOPS
from koopscope.experiments.denoising.summary import cases
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, listed
from koopscope.report.numbers import decibels
from koopscope.sobolev.schedule import Schedule

FIGURES = ("errors",)
# Of a loss, by the kind of its schedule.
ORDERS = {
    "s": "of order {s:g}",
    "linear": "whose order falls evenly from {s:g} to 0",
    "cosine": "whose order falls along a cosine from {s:g} to 0",
    "step": "of order {s:g}, and of order 0 in the second half",
    "sum": "of the orders 0, {half:g} and {s:g} together",
}


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts, after the last step.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.denoising.summary.facts`.
    """
    rows = [row for row in facts["against"] if row["stop"] == FINAL]
    measured = [row for row in rows if row["wins"] is not None]
    filtered = [row for row in rows if row["blind"] and (row["best"] or row["mse"])]
    noisiest = min(measured, key=lambda row: row["snr"], default=None)
    ratio = noisiest and next(
        loss["ratio"] for loss in noisiest["losses"] if loss["loss"] == noisiest["best"]["name"]
    )
    return Answer(
        answer=_answer(measured, filtered),
        number=f"error ÷ that of mean squared error, {noisiest['best']['name']} at "
        f"{decibels(noisiest['snr'])}, least to greatest"
        if noisiest
        else "error ÷ that of mean squared error",
        value=ratio and ratio["median"],
        low=ratio and ratio["min"],
        high=ratio and ratio["max"],
        controls=NONE_ASKED,
        against=cases_said(cases(facts)),
        figure=FIGURES[0],
        names="; ".join(map(_said, dict.fromkeys(row["best"]["name"] for row in measured))),
    )


def _said(loss: str) -> str:
    schedule = Schedule.named(loss)
    order = ORDERS[schedule.kind].format(s=schedule.s, half=schedule.s / 2)
    return f"{loss}: the negative Sobolev loss {order}"


def _answer(measured: list[Mapping[str, Any]], filtered: list[Mapping[str, Any]]) -> str:
    parts = []
    if measured:
        best = list(dict.fromkeys(row["best"]["name"] for row in measured))
        every = sum(row["wins"] == row["seeds"] for row in measured)
        parts.append(
            f"{STOPS[FINAL]}: the best loss ({listed(best)}) beats mean squared error in every "
            f"seed at {every} of {len(measured)} levels of noise"
        )
    if filtered:
        below = sum(
            (row["best"]["spread"] if row["best"] else row["mse"])["median"]
            < row["blind"]["spread"]["median"]
            for row in filtered
        )
        parts.append(f"the best blind filter is beaten at {below} of {len(filtered)}")
    said = ", ".join(parts) or "nothing to compare"
    return f"{said[0].upper()}{said[1:]}."
