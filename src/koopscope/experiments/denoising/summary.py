"""What an experiment with negative Sobolev losses came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.compare.words import word
from koopscope.experiments.denoising.names import (
    LEAST,
    NOISY,
    ORACLE,
    PLAIN_LOSS,
    STOPS,
)
from koopscope.experiments.denoising.rows import bands, each_case, learned, rates
from koopscope.report.cells import median, spread, spread_said
from koopscope.report.datasets import require, strings
from koopscope.report.numbers import decibels, number
from koopscope.report.tables import table

NAMES = ("signal", "snr", "seed", "loss", "stop", "filter", "error", "filter_error", "band_error")
NAMES += ("filter_band_error", "clean_band", "band_low", "band_high", "stopped_at", "rate")
NAMES += ("rate_error", "trial", "learned_at", "tone_share", "tone", "step", "order", "residual")


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``denoising``, as :func:`koopscope.experiments.denoising.run.run` gives it.

    Returns
    -------
    dict
        ``snr``, ``losses``, ``filters``, ``seeds``, ``steps``, and rows:
        ``errors`` (signal, method, stop), ``against`` (signal, snr, stop: each loss against mean
        squared error, the best loss against the best filter), ``bands`` (signal, snr, method),
        ``learned`` (signal, snr, loss), ``rates`` (signal, snr, loss).

    Raises
    ------
    InputError
        If the dataset lacks a variable, or has no signal.
    """
    found = stores["denoising"]
    require(found, "denoising", "denoising", NAMES, dim="signal")
    found = found.sortby("snr", ascending=False)
    against = _against(found)
    return {
        "snr": found["snr"].values.tolist(),
        "losses": strings(found["loss"]).tolist(),
        "filters": strings(found["filter"]).tolist(),
        "seeds": found.sizes["seed"],
        "steps": int(found["step"].values.max()),
        "errors": _errors(found),
        "against": against,
        "sentences": [row["sentence"] for row in against],
        "bands": bands(found),
        "learned": learned(found),
        "rates": rates(found),
    }


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one experiment."""
    blocks = [
        f"Errors: root mean square against the clean values ÷ their standard deviation, median "
        f"[least, greatest] over {facts['seeds']} seeds; 1 is what a constant comes to. Networks "
        f"under each loss for {facts['steps']} steps; methods named oracle have seen the clean "
        "values.",
        against_table(facts),
        "The best loss is the best of several, seen afterwards; each by itself:",
        ratios_table(facts),
    ]
    return "\n\n".join(block for block in blocks if block)


def errors_table(facts: Mapping[str, Any]) -> str:
    """Table of the errors of every method at every level of noise."""
    head = ["signal", "method", "end of training", *map(decibels, facts["snr"])]
    rows = (
        [
            row["signal"],
            row["method"],
            STOPS.get(row["stop"], "–"),
            *map(spread_said, row["errors"]),
        ]
        for row in facts["errors"]
    )
    return table(head, rows)


def against_table(facts: Mapping[str, Any]) -> str:
    """Table of the best loss beside mean squared error and the best filters."""
    head = ("signal", "noise", "end of training", "best loss", "mean squared error")
    head += ("seeds better, of all", "best filter without an oracle", "best with one")
    return table(
        head,
        [
            [
                row["signal"],
                decibels(row["snr"]),
                STOPS[row["stop"]],
                _named(row["best"]),
                spread_said(row["mse"]),
                "–" if row["wins"] is None else f"{row['wins']} of {row['seeds']}",
                _named(row["blind"]),
                _named(row["oracle"]),
            ]
            for row in facts["against"]
        ],
    )


def ratios_table(facts: Mapping[str, Any]) -> str:
    """Table of every loss against mean squared error, seed by seed."""
    head = ("signal", "noise", "end of training", "loss", "error ÷ that of mean squared error")
    head += ("seeds better, of all",)
    cells = [
        [
            row["signal"],
            decibels(row["snr"]),
            STOPS[row["stop"]],
            entry["loss"],
            spread_said(entry["ratio"]),
            f"{entry['wins']} of {row['seeds']}",
        ]
        for row in facts["against"]
        for entry in row["losses"]
    ]
    return table(head, cells) if cells else ""


def bands_table(facts: Mapping[str, Any]) -> str:
    """Tables of errors by band, one a signal."""
    blocks = []
    for signal in dict.fromkeys(row["signal"] for row in facts["bands"]):
        rows = [row for row in facts["bands"] if row["signal"] == signal]
        head = ["signal", "noise", "method", *rows[0]["names"]]
        cells = [
            [signal, decibels(r["snr"]), r["method"], *(number(v, 2) for v in r["medians"])]
            for r in rows
        ]
        blocks.append(table(head, cells))
    return "\n\n".join(blocks)


def learned_table(facts: Mapping[str, Any]) -> str:
    """Tables of when each tone is learned, one a signal."""
    blocks = []
    for signal in dict.fromkeys(row["signal"] for row in facts["learned"]):
        rows = [row for row in facts["learned"] if row["signal"] == signal]
        head = ["signal", "noise", "loss", *(f"{tone} periods" for tone in rows[0]["tones"])]
        head += ["rank correlation", "modes above the limit"]
        cells = [
            [
                signal,
                decibels(row["snr"]),
                row["loss"],
                *("never" if step is None else f"{step:g}" for step in row["steps"]),
                spread_said(row["order"], 2),
                "–" if row["untrusted"] is None else f"{100 * row['untrusted']:.0f} %",
            ]
            for row in rows
        ]
        blocks.append(table(head, cells))
    return "\n\n".join(blocks)


def rates_table(facts: Mapping[str, Any]) -> str:
    """Table of the errors at each rate on the tuning seeds; nothing where there was one rate."""
    if not facts["rates"]:
        return ""
    head = ["signal", "noise", "loss", *(f"rate {r:g}" for r in facts["rates"][0]["trials"])]
    head += ["taken for the last step"]
    cells = [
        [
            row["signal"],
            decibels(row["snr"]),
            row["loss"],
            *(number(error) for error in row["errors"]),
            f"{row['taken']:g}",
        ]
        for row in facts["rates"]
    ]
    return f"Error after the last step by Adam's rate, on the tuning seeds:\n\n{table(head, cells)}"


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which a loss met a baseline."""
    for row in facts["against"]:
        measure = f"error, {STOPS[row['stop']]}"
        for entry in row["losses"]:
            seeds = row["seeds"]
            found = word(entry["wins"] == seeds, entry["losses"] == seeds)
            yield entry["loss"], "mean squared error", measure, found
        # Who stops by an oracle meets filters that have one.
        other = "oracle" if row["stop"] == LEAST else "blind"
        if row["best"] and row[other]:
            ours, theirs = row["best"]["spread"], row[other]["spread"]
            found = word(ours["max"] < theirs["min"], ours["min"] > theirs["max"])
            baseline = f"the best filter {'with' if other == 'oracle' else 'without'} an oracle"
            yield "the best loss", baseline, measure, found


# By the name that a page of findings gives them.
TABLES = {
    "denoised": errors_table,
    "losses": against_table,
    "ratios": ratios_table,
    "bands": bands_table,
    "learned": learned_table,
    "rates": rates_table,
}


def _of(own: xr.Dataset, stop: str) -> dict[str, np.ndarray]:
    """Errors of each loss at a stop, shape (seed,)."""
    at = own["error"].isel(stop=strings(own["stop"]).tolist().index(stop))
    rows = at.transpose("loss", "seed").values
    return dict(zip(strings(own["loss"]).tolist(), rows, strict=True))


def _filters(own: xr.Dataset) -> dict[str, np.ndarray]:
    rows = own["filter_error"].transpose("filter", "seed").values
    return dict(zip(strings(own["filter"]).tolist(), rows, strict=True))


def _errors(found: xr.Dataset) -> list[dict[str, Any]]:
    rows: dict[tuple, dict[str, Any]] = {}
    for signal, _, own in each_case(found):
        methods = [(loss, s, e) for s in STOPS for loss, e in _of(own, s).items()]
        methods += [(name, None, e) for name, e in _filters(own).items()]
        for method, stop, values in methods:
            row = {"signal": signal, "method": method, "stop": stop, "errors": []}
            rows.setdefault((signal, method, stop), row)["errors"].append(spread(values))
    return list(rows.values())


def _against(found: xr.Dataset) -> list[dict[str, Any]]:
    rows = []
    for signal, snr, own in each_case(found):
        filters = _filters(own)
        blind = _best({n: e for n, e in filters.items() if ORACLE not in n and n != NOISY})
        seers = _best({n: e for n, e in filters.items() if ORACLE in n})
        for stop in STOPS:
            losses = _of(own, stop)
            mse = losses.pop(PLAIN_LOSS, None)
            row = {
                "signal": signal,
                "snr": snr,
                "stop": stop,
                "seeds": own.sizes["seed"],
                "best": _best(losses),
                "tried": len(losses),
                "mse": None if mse is None else spread(mse),
                "blind": blind,
                "oracle": seers,
                "losses": [
                    {
                        "loss": name,
                        "wins": int((errors < mse).sum()),
                        "losses": int(((errors > mse) | ~np.isfinite(errors)).sum()),
                        "ratio": spread(errors / mse),
                    }
                    for name, errors in losses.items()
                    if mse is not None
                ],
            }
            best = row["best"] and row["best"]["name"]
            wins = [entry["wins"] for entry in row["losses"] if entry["loss"] == best]
            row["wins"] = wins[0] if wins else None
            rows.append(row | {"sentence": _sentence(row)})
    return rows


def _sentence(row: Mapping[str, Any]) -> str:
    said = f"{row['signal']}, {decibels(row['snr'])}, {STOPS[row['stop']]}: "
    best, blind = row["best"], row["blind"]
    if best is None:
        said += f"mean squared error {spread_said(row['mse'], 2)}"
    else:
        of = f"the best of {row['tried']} losses is " if row["tried"] > 1 else "loss "
        said += of + _named(best, 2)
        if row["mse"] is not None:
            said += f" against {spread_said(row['mse'], 2)} by mean squared error"
            said += f", better in {row['wins']} of {row['seeds']} seeds"
    if blind is not None:
        ours = best or {"spread": row["mse"]}
        lower = ours["spread"]["median"] < blind["spread"]["median"]
        said += f"; {'' if lower else 'not '}below the best filter without an oracle, "
        said += _named(blind, 2)
    return f"{said}."


def _best(errors: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """Name and errors of the method with the least median; None if there is none."""
    # An error that is not finite in some seed is not the least one.
    medians = {
        name: median(values) if np.isfinite(values).all() else None
        for name, values in errors.items()
    }
    known = {name: middle for name, middle in medians.items() if middle is not None}
    if not known:
        return None
    name = min(known, key=known.get)
    return {"name": name, "spread": spread(errors[name])}


def _named(best: Mapping[str, Any] | None, digits: int = 3) -> str:
    return "–" if best is None else f"{best['name']} {spread_said(best['spread'], digits)}"
