"""The command ``koopscope``: compare runs, bring them in, look at them.

Exit codes: 0 done, whatever the verdict; 1 ``verify`` found something broken; 2 the input cannot be
used, with one line on standard error that says why.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from koopscope import __version__
from koopscope.config.settings import OWN_COORDINATES
from koopscope.errors import InputError

BROKEN, REFUSED = 1, 2
app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
# Text goes out as it is: names may look like markup, and scripts read the lines.
out = Console(highlight=False, markup=False, soft_wrap=True)
Texts = list[str]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON in place of words")]


@contextmanager
def _refusing() -> Iterator[None]:
    """End with one line and exit code 2 if the input cannot be used."""
    try:
        yield
    except (InputError, ModuleNotFoundError) as error:
        print(f"Error: {error}", file=sys.stderr)
        raise typer.Exit(REFUSED) from None


def _version(asked: bool) -> None:
    if asked:
        out.print(f"koopscope {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    pass


@app.command()
def compare(
    groups: Annotated[
        Texts,
        typer.Argument(metavar="NAME=RUNS...", help="a name and its runs: a path or a pattern"),
    ],
    report: Annotated[Path | None, typer.Option(help="write a page to this HTML file")] = None,
    save: Annotated[Path | None, typer.Option(help="write the numbers into this folder")] = None,
    layers: Annotated[Texts | None, typer.Option("--layer", help="layer, name or pattern")] = None,
    columns: Annotated[
        Texts | None, typer.Option("--column", help="logged number, in place of weights")
    ] = None,
    begin: Annotated[int | None, typer.Option(help="first step")] = None,
    end: Annotated[int | None, typer.Option(help="last step")] = None,
    every: Annotated[int | None, typer.Option(help="keep steps that are multiples of this")] = None,
    windows: Annotated[
        int | None, typer.Option(help="also compare in windows of so many snapshots")
    ] = None,
    by: Annotated[str | None, typer.Option(help="'layer': also compare each layer alone")] = None,
    delays: Annotated[int | None, typer.Option(help="delays; else by the rule")] = None,
    rank: Annotated[int | None, typer.Option(help="rank; else by the rule")] = None,
    projection: Annotated[
        int | None, typer.Option(help="numbers kept of each layer of checkpoints")
    ] = None,
    coordinates: Annotated[
        str, typer.Option(help="coordinates of the weights: raw, standardised, …")
    ] = OWN_COORDINATES,
    distance: Annotated[str, typer.Option(help="distance of two spectra")] = "wasserstein",
    alpha: Annotated[float, typer.Option(help="level of the tests")] = 0.05,
    smallest_effect: Annotated[
        str, typer.Option(help="smallest effect that counts, a number or 'measured'")
    ] = "1.1",
    correction: Annotated[str, typer.Option(help="for several tests: holm, bh, none")] = "holm",
    controls: Annotated[
        bool, typer.Option(help="fit the first group's runs recoded, and their surrogates")
    ] = True,
    sensitivity: Annotated[
        bool, typer.Option(help="try other delays, ranks, halves and layers")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say whether ways of training behave alike."""
    with _refusing():
        named = dict(_named(group) for group in groups)
        if len(named) < len(groups):
            raise InputError("groups: a name stands twice; give each group a name of its own")
        from koopscope.own_runs.compare import compare_runs

        if report is not None:
            from koopscope.own_runs.page import require_extra

            # Before the work: it would be lost.
            require_extra()
        more: dict[str, Any] = {} if projection is None else {"projection": projection}
        result = compare_runs(
            named,
            layers=layers,
            columns=columns,
            begin=begin,
            end=end,
            every=every,
            windows=windows,
            by=by,
            delays=delays,
            rank=rank,
            coordinates=coordinates,
            distance=distance,
            alpha=alpha,
            smallest_effect=_number_or_word(smallest_effect),
            correction=correction,
            controls=controls,
            sensitivity=sensitivity,
            progress=sys.stderr.isatty(),
            **more,
        )
        if report is not None:
            result.report(report)
        if save is not None:
            result.save(save)
        out.print(json.dumps(result.facts, indent=1) if as_json else str(result))
        if report is not None and not as_json:
            out.print(f"\nReport: {report}")


def _number_or_word(given: str) -> float | str:
    try:
        return float(given)
    except ValueError:
        return given


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="folder of checkpoints, pattern, array file, log")],
    to: Annotated[Path, typer.Option("--out", help="store to write; must not exist")],
    layers: Annotated[
        Texts | None, typer.Option("--include", help="parameter, name or pattern")
    ] = None,
    columns: Annotated[Texts | None, typer.Option("--column", help="column of a log")] = None,
    every: Annotated[int | None, typer.Option(help="keep steps that are multiples of this")] = None,
    projection: Annotated[int | None, typer.Option(help="numbers kept of each layer")] = None,
) -> None:
    """Bring a run that exists into a store, once, checked and sealed."""
    with _refusing():
        from koopscope.recording.runs import bring_in

        given = {"include": layers, "columns": columns, "every": every, "projection": projection}
        found = bring_in(source, to, **{k: v for k, v in given.items() if v is not None})
        out.print(f"{to}: {_described(found)}")


@app.command()
def info(
    runs: Annotated[Texts, typer.Argument(help="paths or patterns of runs")],
    as_json: AsJson = False,
) -> None:
    """Say what runs hold, and which delays and rank the rule would take."""
    with _refusing():
        from koopscope.recording.finding import find_runs

        facts = [_facts(path) for path in find_runs(runs)]
        if as_json:
            out.print(json.dumps(facts, indent=1))
            return
        for fact in facts:
            out.print(f"{fact.pop('run')}:")
            for name, value in fact.items():
                out.print(f"  {name}: {value}")


@app.command()
def verify(
    runs: Annotated[Texts, typer.Argument(help="paths or patterns of stores")],
    as_json: AsJson = False,
) -> None:
    """Prove or refute that stores hold what was written; exit code 1 if one does not."""
    with _refusing():
        from koopscope.artefacts.store import check
        from koopscope.recording.finding import find_runs

        findings = {}
        for path in find_runs(runs):
            try:
                check(path)
                findings[str(path)] = ""
            except InputError as error:
                findings[str(path)] = str(error).removeprefix(f"{path}: ")
        if as_json:
            out.print(json.dumps({p: {"holds": not r, "reason": r} for p, r in findings.items()}))
        else:
            for name, reason in findings.items():
                out.print(f"BROKEN  {name}: {reason}" if reason else f"holds   {name}")
            holding = sum(not reason for reason in findings.values())
            out.print(f"{holding} of {len(findings)} stores hold")
        if any(findings.values()):
            raise typer.Exit(BROKEN)


@app.command()
def watch(
    run: Annotated[Path, typer.Argument(help="what the recorder was given")],
    once: Annotated[bool, typer.Option(help="look once, and end")] = False,
    seconds: Annotated[float, typer.Option(help="from one look to the next")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Show a run while it is being recorded, until the recording ends."""
    with _refusing():
        from koopscope.own_runs.live import look, refuse_nothing

        refuse_nothing(run)
        if once or as_json:
            found = look(run)
            out.print(json.dumps(vars(found)) if as_json else _table(run, found))
            return
        with Live(console=out, auto_refresh=False) as live:
            while True:
                try:
                    found = look(run)
                except InputError as error:
                    # Its first block is not there yet, or it was sealed amid this look.
                    live.update(f"{run}: {error}", refresh=True)
                else:
                    live.update(_table(run, found), refresh=True)
                    if found.complete:
                        return
                time.sleep(seconds)


def _named(group: str) -> tuple[str, str]:
    name, equals, runs = group.partition("=")
    if not (name and equals and runs):
        raise InputError(f"{group!r}: no group; give NAME=RUNS, such as sgd='runs/sgd/*'")
    return name, runs


def _facts(path: Path) -> dict[str, Any]:
    """What a run holds."""
    from tempfile import TemporaryDirectory

    from koopscope.koopman.choice import choose
    from koopscope.recording.observable import layers_of, logged_of, observed
    from koopscope.recording.runs import open_run

    with TemporaryDirectory(prefix="koopscope-") as scratch:
        run = open_run(path, scratch=Path(scratch))
        values = observed(run.isel(seed=0) if "seed" in run.dims else run)
        steps = values["step"].values
        gaps = sorted({int(gap) for gap in steps[1:] - steps[:-1]})
        choice = choose(max(3, values.sizes["step"]), values.sizes["weight"])
        known = {n: run.attrs[n] for n in ("name", "seed", "settings") if n in run.attrs}
        return {
            "run": str(path),
            **known,
            "holds": f"{values.name}, {values.sizes['weight']} numbers a snapshot",
            "layers": list(layers_of(values)),
            "logged": logged_of(run),
            "snapshots": int(values.sizes["step"]),
            "steps": [int(steps[0]), int(steps[-1])] if len(steps) else [],
            "spacing": gaps,
            "complete": bool(run.attrs.get("complete", True)),
            "rule": {"delays": choice.delays, "rank": choice.rank},
        }


def _described(run: Any) -> str:
    from koopscope.recording.observable import logged_of

    sizes, logged = dict(run.sizes), logged_of(run)
    numbers = next(
        (f", {sizes[dim]} numbers each" for dim in ("weight", "feature") if dim in sizes), ""
    )
    return f"{sizes['step']} snapshots{numbers}" + (
        f", logged {', '.join(logged)}" if logged else ""
    )


def _table(run: Path, found: Any) -> Table:
    shown = Table(show_header=False, box=None)
    shown.add_row("run", f"{run} ({'ended' if found.complete else 'being recorded'})")
    shown.add_row("step", f"{found.step} ({found.snapshots} snapshots)")
    for name, value in found.logged.items():
        shown.add_row(name, f"{value:.4g}")
    shown.add_row("verdict", found.verdict)
    if found.time_constants:
        lasting = ", ".join(f"{value:.3g}" for value in found.time_constants)
        shown.add_row("time constants", f"{lasting} steps")
    return shown


def main() -> None:
    """Run the command."""
    app()
