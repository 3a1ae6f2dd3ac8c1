"""Figures and the page of a comparison of runs: those of the workflow's report."""

import base64
import io
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.resources import files as package_files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import xarray as xr

from koopscope.artefacts.files import write_files
from koopscope.errors import InputError
from koopscope.experiments import registry

KIND = registry.kind_of("equivalence")
# In the page's order, with the dataset that each is drawn of.
DRAWN = {
    "verdicts": "comparison",
    "spectra": "comparison",
    "distances": "comparison",
    "residuals": "comparison",
    "sensitivity": "sensitivity",
}
NEEDED = ("docutils", "jinja2", "matplotlib", "pandas", "seaborn")
# Enough for a screen of twice the usual density.
DPI = 150


class Compared(Protocol):
    """What a page is made of: a :class:`koopscope.own_runs.RunsComparison`."""

    @property
    def comparison(self) -> xr.Dataset: ...  # noqa: D102
    @property
    def sensitivity(self) -> xr.Dataset | None: ...  # noqa: D102
    @property
    def facts(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def provenance(self) -> Mapping[str, Any]: ...  # noqa: D102


class Figures(dict[str, Any]):
    """Figures by name, which a notebook shows one below the other."""

    def _repr_html_(self) -> str:
        return "\n".join(
            f'<p><img src="{_png(figure)}" alt="{n}"></p>' for n, figure in self.items()
        )

    def save(self, folder: Path | str) -> None:
        """Write each as ``NAME.pdf`` and ``NAME.png``."""
        from koopscope.report.style import save

        for name, figure in self.items():
            save(figure, Path(folder) / name, {"figure": name})


def figures(result: Compared, name: str | None = None) -> Figures:
    """Figures of a comparison; see :meth:`koopscope.own_runs.RunsComparison.plot`."""
    require_extra()
    there = {n: getattr(result, of) for n, of in DRAWN.items() if getattr(result, of) is not None}
    if name is not None and name not in there:
        raise InputError(f"plot: no {name!r}; give one of {', '.join(there)}")
    chosen = there if name is None else {name: there[name]}
    return Figures({n: _function(n)(dataset) for n, dataset in chosen.items()})


def write_page(result: Compared, path: Path) -> None:
    """Write the page; see :meth:`koopscope.own_runs.RunsComparison.report`."""
    require_extra()
    from jinja2 import Environment, StrictUndefined

    from koopscope import __version__
    from koopscope.experiments.equivalence.summary import comparison_facts
    from koopscope.own_runs.words import MEANING, moved_said, parts_rows, sensitivity_rows
    from koopscope.report.captions import rendered

    facts = result.facts
    said = comparison_facts(result.comparison) | {
        "study": "own runs",
        "question": "Do these ways of training behave alike?",
        "pairs": facts["pairs"],
        "sensitivity": facts["sensitivity"],
    }
    shown = [
        {
            "name": name,
            "image": _png(figure),
            "caption": _html(rendered(KIND.caption(name), facts=said)),
        }
        for name, figure in figures(result).items()
    ]
    template = package_files("koopscope.own_runs").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = environment.from_string(template).render(
        facts=facts,
        figures=shown,
        meaning=MEANING,
        notes=_html(rendered(KIND.caption(registry.NOTES))),
        moved=[
            [moved_said(moved, row) for moved in row["moved"]]
            if row["verdict"] == "distinguished"
            else []
            for row in facts["pairs"]
        ],
        parts=parts_rows(facts["parts"]) if facts["parts"] else None,
        ways=sensitivity_rows(facts["sensitivity"]) if facts["sensitivity"] else None,
        version=__version__,
    )
    write_files({path: text}, dict(result.provenance))


def _function(name: str) -> Callable[[xr.Dataset], Any]:
    """Function that draws a figure of the workflow's report."""
    shown = next(shown for shown in KIND.shown if shown.name == name)
    module, _, function = shown.function.partition(":")
    return getattr(import_module(module), function)


def require_extra() -> None:
    """Refuse to draw or write where what that needs is not installed.

    Raises
    ------
    ModuleNotFoundError
        With what to install.
    """
    for name in NEEDED:
        if find_spec(name) is None:
            raise ModuleNotFoundError(
                f"figures and pages need {name}, which is not installed: "
                "pip install 'koopscope[report]'",
                name=name,
            )


def _png(figure: Any) -> str:
    """A figure as the address of an image that stands in the page itself."""
    import matplotlib as mpl

    from koopscope.report.style import STYLE

    written = io.BytesIO()
    # What is drawn late, such as labels, takes the style of that moment.
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure.savefig(written, dpi=DPI, format="png", metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"


def _html(caption: str) -> str:
    """A caption as HTML."""
    from docutils.core import publish_parts
    from markupsafe import Markup

    quiet = {"report_level": 5, "file_insertion_enabled": False, "raw_enabled": False}
    return Markup(publish_parts(caption, writer="html5", settings_overrides=quiet)["body"])
