"""What an experiment with hierarchical regression came to, as plain numbers and as Markdown."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.experiments.hsvr.names import FALLEN
from koopscope.report.cells import median, spread, spread_said
from koopscope.report.datasets import plain, require, strings
from koopscope.report.numbers import number, percent
from koopscope.report.tables import table

OBSERVED = {"transition": "the observed layer", "best": "the layer with the least held-out error"}


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``transitions``: dims ``case`` (coordinates ``signal``, ``noise``, ``seed``) and ``rule``:
        ``transition``, ``best``, ``points``, ``seconds`` (case), ``held_out_rms``,
        ``support_vectors`` (case, layers), ``predicted``, ``prediction_seconds`` (case, rule).
        Perhaps ``regressors``: dims ``case`` (as above) and ``regressor``: ``held_out_rms``,
        ``fit_seconds``, ``predict_seconds`` (case, regressor).

    Returns
    -------
    dict
        ``epsilon``, ``decay``, ``names`` (of the rules); ``layers``, one row for each signal and
        level of noise, whose numbers are median, least and greatest over seeds; ``sentences``;
        ``rules``, one row for each rule and level of noise, with how often it is right, within one
        layer, over or under, against the observed layer and against the best one; ``errors``, one
        row for each level of noise: the least held-out error over depths, and what the depth that
        each rule predicts, and all layers, make of it; ``regressors``, one row for each signal,
        level of noise and regressor; ``compared``, one row for each regressor and level of noise,
        beside the first regressor.

    Raises
    ------
    InputError
        If either dataset lacks a variable or has no case.
    """
    transitions, regressors = stores["transitions"], stores.get("regressors")
    names = ("signal", "noise", "seed", "rule", "transition", "best", "points", "seconds")
    names += ("held_out_rms", "support_vectors", "predicted", "prediction_seconds")
    require(transitions, "hsvr", "transitions", names, dim="case")
    rules = strings(transitions["rule"]).tolist()
    rows = [
        {
            **group,
            "observed": spread(at["transition"].values),
            "never": int(np.isnan(at["transition"].values).sum()),
            "best": spread(at["best"].values),
            "held_out_rms": spread(at["held_out_rms"].min("layers").values),
            "support_vectors": spread(at["support_vectors"].sum("layers").values),
            "seconds": spread(at["seconds"].values),
            "predicted": [spread(values) for values in _by_rule(at, "predicted")],
        }
        for group, at in _groups(transitions)
    ]
    by_rule = _rules(transitions, rules)
    return {
        "epsilon": plain(transitions.attrs["epsilon"]),
        "decay": plain(transitions.attrs["decay"]),
        "names": rules,
        "layers": rows,
        "rules": by_rule,
        "sentences": [row["sentence"] for row in by_rule],
        "errors": _errors(transitions),
        "regressors": [] if regressors is None else _regressors(regressors),
        "compared": [] if regressors is None else _compared(regressors),
    }


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one experiment."""
    blocks = [
        compared_table(facts),
        rules_table(facts),
        f"Observed: layers from which on the largest training error is at most {FALLEN:g} ε (ε = "
        f"{number(facts['epsilon'])} of the range), scales falling by {number(facts['decay'])}. "
        "Held-out errors are root mean squares ÷ range.",
        errors_table(facts),
    ]
    return "\n\n".join(block for block in blocks if block)


def layers_table(facts: Mapping[str, Any]) -> str:
    """Table of predicted against observed layers, with the misses."""
    head = ["signal", "noise", "seeds", "observed", "best held out", *facts["names"]]
    head += ["least error", "support vectors", "fit, s"]
    return table(
        head,
        [
            [
                row["signal"],
                percent(row["noise"]),
                str(row["seeds"]),
                _observed(row),
                spread_said(row["best"]),
                *(_with_miss(found, row["observed"]) for found in row["predicted"]),
                *(
                    _median_said(row[name])
                    for name in ("held_out_rms", "support_vectors", "seconds")
                ),
            ]
            for row in facts["layers"]
        ],
    )


def rules_table(facts: Mapping[str, Any]) -> str:
    """Table of how often each rule is right."""
    head = ("rule", "noise", "compared with", "cases", "right", "within one layer")
    head += ("too many (by up to)", "too few (by up to)", "time of a prediction ÷ of a fit")
    return table(
        head,
        [
            [
                row["rule"],
                percent(row["noise"]),
                OBSERVED[row["against"]],
                str(row["cases"]),
                str(row["right"]),
                str(row["within_one"]),
                _count(row["over"], row["most_over"]),
                _count(row["under"], row["most_under"]),
                number(row["cost"], 2),
            ]
            for row in facts["rules"]
        ],
    )


def errors_table(facts: Mapping[str, Any]) -> str:
    """Table of what a depth costs in held-out error, by noise."""
    head = ("noise", "cases", "least", *(f"{rule} ÷ least" for rule in facts["names"]))
    cells = [
        [
            percent(row["noise"]),
            str(row["cases"]),
            spread_said(row["least"], 2),
            *(spread_said(found, 3) for found in (*row["predicted"], row["all"])),
        ]
        for row in facts["errors"]
    ]
    said = (
        "Held-out error, root mean square ÷ range, of the best depth, and of the depth that each "
        "rule predicts as a multiple of it; median [least, greatest] over signals and seeds:"
    )
    return f"{said}\n\n{table((*head, 'all layers ÷ least'), cells)}"


def compared_table(facts: Mapping[str, Any]) -> str:
    """Table of the regressors beside the first one, by noise; nothing where there are none."""
    if not facts["compared"]:
        return ""
    first = facts["compared"][0]["regressor"]
    head = ("regressor", "noise", "cases", "held-out error", f"÷ {first}", "fit, s", f"÷ {first}")
    cells = [
        [
            row["regressor"],
            percent(row["noise"]),
            str(row["cases"]),
            number(row["held_out_rms"], 2),
            spread_said(row["error_ratio"], 2),
            number(row["fit_seconds"], 2),
            spread_said(row["time_ratio"]),
            number(row["predict_seconds"], 2),
        ]
        for row in facts["compared"]
    ]
    said = f"Regressors beside {first}, median [least, greatest] over signals and seeds:"
    return f"{said}\n\n{table((*head, 'predict, s'), cells)}"


def regressors_table(facts: Mapping[str, Any]) -> str:
    """Table of the regressors' errors and times; nothing where there are none."""
    if not facts["regressors"]:
        return ""
    names = list(dict.fromkeys(row["regressor"] for row in facts["regressors"]))
    rows: dict[tuple[str, float], dict[str, str]] = {}
    for row in facts["regressors"]:
        said = f"{spread_said(row['held_out_rms'], 2)}; {_median_said(row['fit_seconds'])} s"
        rows.setdefault((row["signal"], row["noise"]), {})[row["regressor"]] = said
    cells = [
        [signal, percent(noise), *(found[name] for name in names)]
        for (signal, noise), found in rows.items()
    ]
    said = (
        "Held-out error, root mean square ÷ range, median [least, greatest] over seeds, and the "
        "median time of a fit:"
    )
    return f"{said}\n\n{table(('signal', 'noise', *names), cells)}"


# By the name that a page of findings gives.
TABLES = {
    "layers": layers_table,
    "rules": rules_table,
    "errors": errors_table,
    "compared": compared_table,
    "regressors": regressors_table,
}


def _groups(found: xr.Dataset) -> list[tuple[dict[str, Any], xr.Dataset]]:
    """Cases of each signal and level of noise, in the order in which they first appear."""
    signal, noise = strings(found["signal"]), found["noise"].values
    groups = []
    for name, level in dict.fromkeys(zip(signal.tolist(), noise.tolist(), strict=True)):
        at = found.isel(case=np.flatnonzero((signal == name) & (noise == level)))
        group = {"signal": name, "noise": level, "seeds": at.sizes["case"]}
        groups.append((group | {"points": int(at["points"].values[0])}, at))
    return groups


def _by_rule(found: xr.Dataset, name: str) -> np.ndarray:
    return found[name].transpose("rule", "case").values


def _rules(found: xr.Dataset, rules: list[str]) -> list[dict[str, Any]]:
    noise = found["noise"].values
    rows = []
    for k, rule in enumerate(rules):
        for level in sorted(set(noise.tolist())):
            at = found.isel(case=np.flatnonzero(noise == level))
            predicted = _by_rule(at, "predicted")[k]
            cost = _by_rule(at, "prediction_seconds")[k] / at["seconds"].values
            # Noise above ε is memorised in the end: then the best layer is what to aim at.
            for against in ("transition", "best") if level else ("transition",):
                miss = predicted - at[against].values
                miss = miss[np.isfinite(miss)]
                row = {
                    "rule": rule,
                    "noise": level,
                    "against": against,
                    "cases": len(miss),
                    "right": int((miss == 0).sum()),
                    "within_one": int((np.abs(miss) <= 1).sum()),
                    "over": int((miss > 0).sum()),
                    "under": int((miss < 0).sum()),
                    "most_over": int(max(miss.max(initial=0), 0)),
                    "most_under": int(max((-miss).max(initial=0), 0)),
                    "cost": median(cost),
                }
                rows.append(row | {"sentence": _sentence(row)})
    return rows


def _sentence(row: Mapping[str, Any]) -> str:
    if not row["cases"]:
        return f"{row['rule']}, {_noise(row)}: no case to compare."
    return (
        f"{row['rule']}, {_noise(row)}: {row['right']} of {row['cases']} predictions are "
        f"{OBSERVED[row['against']]}, {row['within_one']} within one; "
        f"too many in {_count(row['over'], row['most_over'])}, "
        f"too few in {_count(row['under'], row['most_under'])}."
    )


def _errors(found: xr.Dataset) -> list[dict[str, Any]]:
    noise = found["noise"].values
    rows = []
    for level in sorted(set(noise.tolist())):
        at = found.isel(case=np.flatnonzero(noise == level))
        rms = at["held_out_rms"].transpose("case", "layers").values
        least = np.nanmin(rms, axis=1)
        # Of a case with fewer layers than others the rest is missing; a rule may ask for more
        # layers than were fitted, down to the points' spacing.
        deepest = np.isfinite(rms).sum(axis=1)
        ratios = []
        for predicted in _by_rule(at, "predicted"):
            layer = np.fmin(np.where(np.isfinite(predicted), predicted, 1), deepest).astype(int)
            reached = rms[np.arange(len(rms)), layer - 1]
            ratios.append(spread(np.where(np.isfinite(predicted), reached / least, np.nan)))
        everything = rms[np.arange(len(rms)), deepest - 1] / least
        row = {"noise": level, "cases": at.sizes["case"], "least": spread(least)}
        rows.append(row | {"predicted": ratios, "all": spread(everything)})
    return rows


def _compared(found: xr.Dataset) -> list[dict[str, Any]]:
    noise, names = found["noise"].values, strings(found["regressor"]).tolist()
    rows = []
    for k, regressor in enumerate(names):
        for level in sorted(set(noise.tolist())):
            at = found.isel(case=np.flatnonzero(noise == level))
            values = {
                name: at[name].transpose("regressor", "case").values
                for name in ("held_out_rms", "fit_seconds", "predict_seconds")
            }
            row = {"regressor": regressor, "noise": level, "cases": at.sizes["case"]}
            row |= {name: median(value[k]) for name, value in values.items()}
            for ratio, name in (("error_ratio", "held_out_rms"), ("time_ratio", "fit_seconds")):
                row[ratio] = spread(values[name][k] / values[name][0])
            rows.append(row | {"sentence": _compared_sentence(row, names[0])})
    return rows


def _compared_sentence(row: Mapping[str, Any], first: str) -> str:
    said = f"{row['regressor']}, {_noise(row)}: held-out error {number(row['held_out_rms'], 2)}"
    if row["regressor"] == first:
        return f"{said}, fit {number(row['fit_seconds'], 2)} s (medians of {row['cases']})."
    return (
        f"{said}, {spread_said(row['error_ratio'], 2)} times that of {first}; the fit takes "
        f"{spread_said(row['time_ratio'])} times as long."
    )


def _regressors(found: xr.Dataset) -> list[dict[str, Any]]:
    names = ("held_out_rms", "fit_seconds", "predict_seconds")
    require(found, "hsvr", "regressors", ("signal", "noise", "regressor", *names), dim="case")
    return [
        {
            **group,
            "regressor": str(regressor),
            **{name: spread(at[name].isel(regressor=k).values) for name in names},
        }
        for group, at in _groups(found)
        for k, regressor in enumerate(strings(found["regressor"]))
    ]


def _median_said(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "–"
    # Counts in full.
    return number(found["median"], 2 if found["median"] < 100 else 6)


def _observed(row: Mapping[str, Any]) -> str:
    if row["never"] == row["seeds"]:
        return "never"
    return spread_said(row["observed"]) + (f" ({row['never']} never)" if row["never"] else "")


def _with_miss(found: Mapping[str, float] | None, observed: Mapping[str, float] | None) -> str:
    if found is None or observed is None:
        return spread_said(found)
    return f"{spread_said(found)} ({found['median'] - observed['median']:+g})"


def _count(count: int, most: int) -> str:
    return f"{count} (by up to {most})" if count else "0"


def _noise(row: Mapping[str, Any]) -> str:
    return f"{percent(row['noise'])} noise" if row["noise"] else "no noise"
