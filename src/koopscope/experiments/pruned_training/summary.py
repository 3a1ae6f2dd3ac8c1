"""What pruning while training came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.experiments.pruned_training.names import DENSE
from koopscope.pruning.names import PLAIN, SPECTRAL
from koopscope.report.cells import against_cases, against_table, paired, spread, spread_said
from koopscope.report.datasets import plain, require, strings
from koopscope.report.numbers import number, percent
from koopscope.report.tables import escaped, table

COSTS = ("seconds", "processor_seconds", "multiply_adds", "multiply_adds_nonzero")
MEASURED = ("processor_seconds", "multiply_adds_nonzero")
SAID = {
    "seconds": "time",
    "processor_seconds": "processor time",
    "multiply_adds": "operations of whole matrices",
    "multiply_adds_nonzero": "operations of kept weights",
}


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``pruned_training``, as :func:`koopscope.experiments.pruned_training.run.run_seeds` gives
        it.

    Returns
    -------
    dict
        ``target_accuracy``, ``model``, ``epochs``, ``train_samples``, ``seeds``,
        ``prunings`` (epoch and compression); ``methods``, one row each: ``reached`` (seeds),
        ``costs`` by name (median, least and greatest over the seeds that reached the target),
        ``to_dense`` (the same of the ratio to the dense run of the same seed, where both reached
        it, with the number of these), ``accuracy`` at the end, ``weights_kept``, ``units_kept``
        (after the last pruning, medians), ``score_seconds`` (all prunings of a run, median),
        ``refused`` (prunings in which no score could be had) and ``sentence``; ``against``
        (:func:`koopscope.report.cells.against`) and ``sentences``.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no seed.
    """
    found = stores["pruned_training"]
    names = ("pruner", "accuracy", "reached", "weights_kept", "units_kept", "score_seconds")
    names += ("refused", *(f"target_{cost}" for cost in COSTS))
    require(found, "pruned_training", "pruned_training", names, dim="seed")
    methods = strings(found["pruner"]).tolist()
    dense = found.isel(pruner=methods.index(DENSE)) if DENSE in methods else None
    attrs = {n: plain(found.attrs[n]) for n in ("target_accuracy", "epochs", "train_samples")}
    rows = [_method(found.isel(pruner=k), name, dense) for k, name in enumerate(methods)]
    rows = [row | {"sentence": _sentence(row, attrs["target_accuracy"])} for row in rows]
    return {
        "model": str(found.attrs["model"]),
        **attrs,
        "seeds": found.sizes["seed"],
        "prunings": [
            {"after": int(epoch), "compression": float(compression)}
            for epoch, compression in zip(
                found["after_epoch"].values, found["compression"].values, strict=True
            )
        ],
        "methods": rows,
        "against": _against(found, methods),
        "sentences": [row["sentence"] for row in rows],
    }


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one experiment."""
    prunings = ", ".join(
        f"to 1/{number(p['compression'])} of the weights after epoch {p['after']}"
        for p in facts["prunings"]
    )
    blocks = [
        f"{escaped(facts['model'])}, {facts['train_samples']} training samples, "
        f"{facts['epochs']} epochs, {facts['seeds']} seeds; pruned {prunings}.",
        savings_table(facts),
        "Cost to the target accuracy as a ratio to the dense run of the same seed: median [least, "
        "greatest] over the seeds in which both reach it. Both times count scores and not tests; "
        "processor time leaves out what else the machine of the run did.",
    ]
    return "\n\n".join(blocks)


def savings_table(facts: Mapping[str, Any]) -> str:
    """Table of what each method needs to the target accuracy."""
    head = [
        "method",
        f"reached {percent(facts['target_accuracy'])}",
        *(f"{s} ÷ dense" for s in SAID.values()),
    ]
    head += ["accuracy at the end", "weights kept", "units kept", "scores, s", "refused"]
    return table(
        head,
        [
            [
                row["method"],
                f"{row['reached']} of {row['seeds']}",
                *(_ratio(row, cost) for cost in COSTS),
                spread_said(row["accuracy"], 4),
                percent(row["weights_kept"]),
                percent(row["units_kept"]),
                number(row["score_seconds"], 2),
                str(row["refused"]),
            ]
            for row in facts["methods"]
        ],
    )


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline."""
    return against_cases(facts["against"])


# By the name that a page of findings gives.
TABLES = {"against": against_table, "savings": savings_table}


def _against(found: xr.Dataset, methods: list[str]) -> list[dict[str, Any]]:
    """Costs to the target by Koopman scores and by what needs no spectrum, over the dense run's."""
    if DENSE not in methods:
        return []
    costs = {cost: found[f"target_{cost}"].transpose("pruner", "seed").values for cost in MEASURED}
    rows, target = [], percent(float(found.attrs["target_accuracy"]))
    for method in methods:
        score, _, units = method.partition(":")
        same = [name + (f":{units}" if units else "") for name in PLAIN]
        for baseline in (*same, DENSE):
            if score not in SPECTRAL or baseline not in methods:
                continue
            for cost, values in costs.items():
                ratio = values / values[methods.index(DENSE)]
                ours, theirs = (ratio[methods.index(name)] for name in (method, baseline))
                came = " and ".join(str(int(np.isfinite(v).sum())) for v in (ours, theirs))
                where = f"to {target}, by {came} of {len(ours)} seeds"
                measure = f"{SAID[cost]} ÷ dense"
                rows.append(paired(where, method, baseline, measure, ours, theirs))
    return rows


def _method(at: xr.Dataset, name: str, dense: xr.Dataset | None) -> dict[str, Any]:
    costs = {cost: at[f"target_{cost}"].values for cost in COSTS}
    ratios = {}
    if dense is not None and name != DENSE:
        ratios = {cost: costs[cost] / dense[f"target_{cost}"].values for cost in COSTS}
    compared = np.isfinite(ratios[COSTS[0]]).sum() if ratios else 0
    return {
        "method": name,
        "seeds": at.sizes["seed"],
        "reached": int(at["reached"].sum()),
        "costs": {cost: spread(values) for cost, values in costs.items()},
        "to_dense": {cost: spread(values) for cost, values in ratios.items()},
        "compared": int(compared),
        "accuracy": spread(at["accuracy"].isel(evaluation=-1).values),
        "weights_kept": float(at["weights_kept"].isel(pruning=-1).median()),
        "units_kept": float(at["units_kept"].isel(pruning=-1).median()),
        "score_seconds": float(at["score_seconds"].sum("pruning").median()),
        "refused": int(sum(bool(str(word)) for word in at["refused"].values.ravel())),
    }


def _sentence(row: Mapping[str, Any], target: float) -> str:
    said = f"{row['method']}: reaches {percent(target)} in {row['reached']} of {row['seeds']} seeds"
    if row["method"] != DENSE and row["compared"]:
        time, operations = (_ratio(row, cost) for cost in MEASURED)
        said += f", with {time} of dense training's processor time"
        said += f" and {operations} of its operations"
    return said + (f"; {row['refused']} prunings refused." if row["refused"] else ".")


def _ratio(row: Mapping[str, Any], cost: str) -> str:
    if row["method"] == DENSE:
        return "1" if row["reached"] else "–"
    return spread_said(row["to_dense"].get(cost), 2) if row["to_dense"] else "–"
