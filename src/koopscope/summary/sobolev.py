"""What an experiment with negative Sobolev losses came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.summary.cells import median, spread, spread_said
from koopscope.summary.facts import RESIDUAL_LIMIT, plain, require, strings
from koopscope.summary.tables import escaped, table
from koopscope.summary.wording import number

# How a network's training ends (koopscope.sobolev.denoising).
STOPS = {
    "final": "last step",
    "discrepancy": "stopped by the residual",
    "least": "least error (oracle)",
}
# The loss that others are measured against, and what has seen the clean values.
PLAIN_LOSS, ORACLE = "mse", "oracle"
ROUNDING = 1e-9
NAMES = ("signal", "snr", "seed", "loss", "stop", "filter", "error", "filter_error", "band_error")
NAMES += ("filter_band_error", "clean_band", "band_low", "band_high", "stopped_at", "rate")
NAMES += ("rate_error", "trial", "learned_at", "tone_share", "tone", "step", "order", "residual")


def sobolev_facts(found: xr.Dataset) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    found
        As :func:`koopscope.sobolev.denoising.run` gives it.

    Returns
    -------
    dict
        ``study``, ``question``, ``snr``, ``losses``, ``filters``, ``seeds``, ``steps``, and rows:
        ``errors`` (signal, method, stop), ``against`` (signal, snr, stop: each loss against mean
        squared error, the best loss against the best filter), ``bands`` (signal, snr, method),
        ``learned`` (signal, snr, loss), ``rates`` (signal, snr, loss).

    Raises
    ------
    InputError
        If the dataset lacks a variable, or has no signal.
    """
    require(found, "sobolev", "sobolev", NAMES, dim="signal")
    found = found.sortby("snr", ascending=False)
    return {
        "study": str(found.attrs.get("study") or ""),
        "question": str(found.attrs.get("question") or ""),
        "snr": found["snr"].values.tolist(),
        "losses": strings(found["loss"]).tolist(),
        "filters": strings(found["filter"]).tolist(),
        "seeds": found.sizes["seed"],
        "steps": int(found["step"].values.max()),
        "errors": _errors(found),
        "against": _against(found),
        "bands": _bands(found),
        "learned": _learned(found),
        "rates": _rates(found),
    }


def sobolev_text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one experiment."""
    blocks = [
        f"## {escaped(facts['study'])}",
        f"**{escaped(facts['question'])}**",
        f"Errors: root mean square against the clean values ÷ their standard deviation, median "
        f"[least, greatest] over {facts['seeds']} seeds; 1 is what a constant comes to. Networks "
        f"under each loss for {facts['steps']} steps; methods named oracle have seen the clean "
        "values.",
        errors_table(facts),
        against_table(facts),
        "The best loss is the best of several, seen afterwards; each by itself:",
        ratios_table(facts),
        "\n".join(f"- {escaped(row['sentence'])}" for row in facts["against"]),
        "Error by band of wave numbers (periods in the domain) after the last step, medians:",
        bands_table(facts),
        "Step from which on a tone keeps half of its amplitude, medians; rank correlation of the "
        "memory of the outputs' Koopman modes with their wave number (1: what is fine comes last), "
        f"and share of these modes with a residual above {RESIDUAL_LIMIT:g}:",
        learned_table(facts),
        rates_table(facts),
    ]
    return "\n\n".join(block for block in blocks if block)


def errors_table(facts: Mapping[str, Any]) -> str:
    """Table of the errors of every method at every level of noise."""
    head = ["signal", "method", "end of training", *map(_decibels, facts["snr"])]
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
                _decibels(row["snr"]),
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
            _decibels(row["snr"]),
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
            [signal, _decibels(r["snr"]), r["method"], *(number(v, 2) for v in r["medians"])]
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
                _decibels(row["snr"]),
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
            _decibels(row["snr"]),
            row["loss"],
            *(number(error) for error in row["errors"]),
            f"{row['taken']:g}",
        ]
        for row in facts["rates"]
    ]
    return f"Error after the last step by Adam's rate, on the tuning seeds:\n\n{table(head, cells)}"


# By the name that a page of findings gives them.
TABLES = {
    "denoised": errors_table,
    "losses": against_table,
    "ratios": ratios_table,
    "bands": bands_table,
    "learned": learned_table,
    "rates": rates_table,
}


def _cases(found: xr.Dataset) -> Iterator[tuple[str, float, xr.Dataset]]:
    for i, signal in enumerate(strings(found["signal"]).tolist()):
        for j, snr in enumerate(found["snr"].values.tolist()):
            yield signal, snr, found.isel(signal=i, snr=j)


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
    for signal, _, own in _cases(found):
        methods = [(loss, s, e) for s in STOPS for loss, e in _of(own, s).items()]
        methods += [(name, None, e) for name, e in _filters(own).items()]
        for method, stop, values in methods:
            row = {"signal": signal, "method": method, "stop": stop, "errors": []}
            rows.setdefault((signal, method, stop), row)["errors"].append(spread(values))
    return list(rows.values())


def _against(found: xr.Dataset) -> list[dict[str, Any]]:
    rows = []
    for signal, snr, own in _cases(found):
        filters = _filters(own)
        blind = _best({n: e for n, e in filters.items() if ORACLE not in n and n != "noisy"})
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
                        **_ratio(errors, mse),
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
    said = f"{row['signal']}, {_decibels(row['snr'])}, {STOPS[row['stop']]}: "
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
        word = "below" if ours["spread"]["median"] < blind["spread"]["median"] else "not below"
        said += f"; {word} the best filter without an oracle, {_named(blind, 2)}"
    return f"{said}."


def _bands(found: xr.Dataset) -> list[dict[str, Any]]:
    rows = []
    for signal, snr, own in _cases(found):
        own = own.isel(band=np.flatnonzero(np.isfinite(own["band_low"].values)))
        edges = zip(own["band_low"].values, own["band_high"].values, strict=True)
        names = [f"{a:.3g}–{b:.3g}" if np.isfinite(b) else f"above {a:.3g}" for a, b in edges]
        end = own["band_error"].isel(stop=strings(own["stop"]).tolist().index("final"))
        methods = [("the clean values", own["clean_band"])]
        methods += [(n, end.isel(loss=k)) for k, n in enumerate(strings(own["loss"]).tolist())]
        methods += [
            (n, own["filter_band_error"].isel(filter=k))
            for k, n in enumerate(strings(own["filter"]).tolist())
        ]
        for method, values in methods:
            middle = [median(v) for v in values.transpose("band", "seed").values]
            # Rounding is nothing.
            middle = [0.0 if m is not None and m < ROUNDING else m for m in middle]
            row = {"signal": signal, "snr": snr, "method": method}
            rows.append(row | {"names": names, "medians": middle})
    return rows


def _learned(found: xr.Dataset) -> list[dict[str, Any]]:
    rows = []
    for signal, snr, own in _cases(found):
        # A tone that no network could have learned is not there, or not in this signal.
        there = np.isfinite(own["tone_share"]).any(("loss", "seed", "record")).values
        for k, loss in enumerate(strings(own["loss"]).tolist()):
            at = own.isel(loss=k)
            steps = at["learned_at"].transpose("tone", "seed").values[there]
            # Never is later than any step: the median is taken with it.
            middle = np.median(np.where(np.isfinite(steps), steps, np.inf), axis=1)
            residual = at["residual"].values
            residual = residual[np.isfinite(residual)]
            rows.append(
                {
                    "signal": signal,
                    "snr": snr,
                    "loss": loss,
                    "tones": own["tone"].values[there].tolist(),
                    "steps": [float(m) if np.isfinite(m) else None for m in middle],
                    "order": spread(at["order"].values),
                    "untrusted": float((residual > RESIDUAL_LIMIT).mean())
                    if residual.size
                    else None,
                }
            )
    return rows


def _rates(found: xr.Dataset) -> list[dict[str, Any]]:
    if found.sizes["trial"] < 2:
        return []
    rows = []
    for signal, snr, own in _cases(found):
        end = own.isel(stop=strings(own["stop"]).tolist().index("final"))
        for k, loss in enumerate(strings(own["loss"]).tolist()):
            at = end.isel(loss=k)
            rows.append(
                {
                    "signal": signal,
                    "snr": snr,
                    "loss": loss,
                    "trials": own["trial"].values.tolist(),
                    "errors": [plain(error) for error in at["rate_error"].values],
                    "taken": plain(at["rate"].values),
                }
            )
    return rows


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


def _ratio(errors: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    return {"ratio": spread(errors / other)}


def _named(best: Mapping[str, Any] | None, digits: int = 3) -> str:
    return "–" if best is None else f"{best['name']} {spread_said(best['spread'], digits)}"


def _decibels(snr: float) -> str:
    return f"{snr:g} dB".replace("-", "−")
