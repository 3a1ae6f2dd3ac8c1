"""The kinds of experiments, a row each: all that the workflow knows of them.

A kind is a folder beside this file: ``plan.py`` (what the configuration may say), its runs,
``summary.py``, ``figures.py`` or a folder of that name, and ``captions/``. Everything in it is
named here by convention and loaded when it is used, so that planning imports nothing numerical, and
so that what a rule depends on is its kind's code and nothing else.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from koopscope.config.checks import near, one_of, within
from koopscope.config.plain import check_plain
from koopscope.config.reading import data_specs, settings
from koopscope.config.settings import SECTIONS
from koopscope.config.shown import quoted
from koopscope.config.sizes import Need
from koopscope.errors import InputError
from koopscope.experiments.experiment import Experiment
from koopscope.experiments.sizes import data_set

FOLDER = Path(__file__).parent
PACKAGE = "koopscope.experiments"
# What a kind's answers are made by, and what that names: the figures that show them.
ANSWER, FIGURES = "answer", "FIGURES"
# Modules of a kind's folder that say what came out.
SUMMED_UP = ("summary", ANSWER, "frames")
# Among a kind's captions: what it asks, and perhaps how its numbers are read.
ABOUT, NOTES = "about", "notes"
FITS, NETWORKS, DEVICE = "fits", "networks", "device"
# Sections of a configuration that are nobody's alone, and names in the others.
DATA, BASES, OF_BASES = "data", "bases", "equivalence"
NAME = "[a-z][a-z0-9_]*"


@dataclass(frozen=True)
class Shown:
    """What the report shows of a store; see :func:`koopscope.report.style.reported`.

    Attributes
    ----------
    name
        Of the function, and of the files.
    label, of, when
        As they stand there.
    function
        ``module:name``.
    page
        Whether it is a page of its own, which stands beside the report.
    """

    name: str
    label: str
    of: str
    when: str
    function: str
    page: bool = False

    @property
    def folder(self) -> str:
        """What it is filed under: its store, or for what only some experiments have, the reason.

        So that those are drawn apart, by a job that depends on their code alone.
        """
        return self.when or self.of


@dataclass(frozen=True)
class Kind:
    """A kind of experiments.

    Attributes
    ----------
    name
        Of its folder.
    section
        Of the configuration.
    several
        The stores of one experiment where there may be several; otherwise there is one, named as
        the kind.
    shares
        Whether other kinds have their entries in its section too; an entry's ``kind`` then says
        whose it is.
    job
        What one job that makes a store does: ``FITS`` alone, trains ``NETWORKS``, or trains them on
        the configured ``DEVICE``; empty for a kind whose work has several stages.
    """

    name: str
    section: str
    several: tuple[str, ...] = ()
    shares: bool = False
    job: str = ""

    @property
    def stores(self) -> tuple[str, ...]:
        """Names of its stores; no other kind has any of them."""
        return self.several or (self.name,)

    def module(self, part: str) -> str:
        """Dotted name of a module of its folder."""
        return f"{PACKAGE}.{self.name}.{part}"

    def part(self, name: str) -> ModuleType:
        """A module of its folder, loaded."""
        return import_module(self.module(name))

    def load(self, part: str, attribute: str) -> Any:
        """What a module of its folder has by this name."""
        return getattr(self.part(part), attribute)

    def runs(self, store: str) -> str:
        """Dotted name of the module whose ``run`` makes a store, where one function does."""
        return self.module("run" if store == self.name else store)

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Figures, tables and pages in the order of their labels."""
        return tuple(sorted(_marked(self.name), key=lambda shown: shown.label))

    def shown_of(self, experiment: Experiment) -> dict[str, list[Shown]]:
        """Figures and tables of an experiment, by their folder."""
        found: dict[str, list[Shown]] = {}
        for shown in self.shown:
            there = shown.of in experiment.stores
            if there and (not shown.when or getattr(experiment, shown.when)):
                found.setdefault(shown.folder, []).append(shown)
        return found

    def caption(self, name: str) -> Path:
        """Template of the caption of a figure or table, or of the paragraph about the kind."""
        return FOLDER / self.name / "captions" / f"{name}.rst"

    @property
    def answered_by(self) -> tuple[str, ...]:
        """Figures of which one shows a question's answer; none where the kind gives no answer."""
        file = FOLDER / self.name / f"{ANSWER}.py"
        return _named(file.read_text(encoding="utf-8")) if file.exists() else ()

    @property
    def captions(self) -> list[Path]:
        """All templates of its folder."""
        return sorted((FOLDER / self.name / "captions").glob("*.rst"))


# In the order of the report.
KINDS = (
    Kind("equivalence", "studies", ("comparison", "curves", "sensitivity", "error_rates")),
    Kind("known_answers", "known_answers", job=NETWORKS),
    Kind("early_phase", "early_phase", job=DEVICE),
    Kind("grokking", "grokking", job=DEVICE),
    Kind("pruning", "pruning"),
    Kind("stopping", "monitor", shares=True, job=DEVICE),
    Kind("restart", "monitor", shares=True, job=DEVICE),
    Kind("depth", "monitor", shares=True, job=NETWORKS),
    Kind("pruned_training", "monitor", shares=True, job=NETWORKS),
    Kind("hsvr", "hsvr", ("transitions", "regressors"), job=FITS),
    Kind("denoising", "sobolev", job=DEVICE),
)


def kind_of(name: str, kinds: Iterable[Kind] = KINDS) -> Kind:
    """Kind of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    by_name = {kind.name: kind for kind in kinds}
    one_of("kind", name, tuple(by_name))
    return by_name[name]


def sections(kinds: Iterable[Kind] = KINDS) -> dict[str, list[Kind]]:
    """Kinds by their section of the configuration.

    Raises
    ------
    InputError
        If two kinds claim a section that they do not share.
    """
    found: dict[str, list[Kind]] = {}
    for kind in kinds:
        found.setdefault(kind.section, []).append(kind)
    for section, claiming in found.items():
        if len(claiming) > 1 and not all(kind.shares for kind in claiming):
            names = " and ".join(kind.name for kind in claiming)
            raise InputError(
                f"experiments: {names} claim the section {section!r}; give each one of its own, or "
                "let all of them share it"
            )
    return found


def check(kinds: Iterable[Kind] = KINDS) -> None:
    """Refuse a kind that cannot be reported.

    Raises
    ------
    InputError
        If a kind shows nothing, a figure, a table or a kind has no caption, or a kind gives no
        answer to its questions, with a figure that shows it.
    """
    for kind in kinds:
        if not kind.shown:
            raise InputError(
                f"experiments.{kind.name}: no figure; mark at least one function of its figures "
                "with @reported"
            )
        for name in (ABOUT, *(shown.name for shown in kind.shown if not shown.page)):
            if not kind.caption(name).exists():
                what = "paragraph about it" if name == ABOUT else f"caption of {name}"
                path = kind.caption(name).relative_to(FOLDER)
                raise InputError(f"experiments.{kind.name}: no {what}; write {path}")
        if not kind.answered_by:
            raise InputError(
                f"experiments.{kind.name}: no answer; write {kind.name}/{ANSWER}.py with "
                f"`{ANSWER}(facts)` and the names of its {FIGURES}"
            )
        names = [shown.name for shown in kind.shown]
        for figure in kind.answered_by:
            one_of(f"experiments.{kind.name}.{ANSWER}.{FIGURES}", figure, names)


def read(config: Mapping[str, Any], kinds: Iterable[Kind] = KINDS) -> dict[str, Experiment]:
    """Experiments of a configuration by name, in the order of the report.

    Raises
    ------
    InputError
        With the key, the value and the remedy, if one cannot be read, or cannot be run as it is
        written, or two have one name: figures and tables are filed by name.
    """
    check_plain(config)
    by_section = sections(kinds)
    known = (DATA, *SECTIONS, BASES, *by_section)
    for section, those in config.items():
        if section not in known:
            raise InputError(f"{section}: unknown section{near(section, known)}")
        if those is not None and not isinstance(those, Mapping):
            raise InputError(f"{section}: {quoted(those)} is no mapping; give entries by name")
    settings(config)
    data = data_specs(config)
    # Those that no study names too.
    for name, entry in (config.get(BASES) or {}).items():
        kind_of(OF_BASES).load("plan", "read_base")(name, entry)
    found: dict[str, Experiment] = {}
    owners: dict[str, str] = {}
    for section, of_section in by_section.items():
        for name, entry in (config.get(section) or {}).items():
            where = f"{section}.{name}"
            if not re.fullmatch(NAME, name):
                raise InputError(f"{where}: a name has lower-case letters, digits and _; rename it")
            if name in owners:
                raise InputError(f"{where}: {owners[name]} has this name too; rename one of them")
            owners[name] = where
            with within(where):
                kind = of_section[0]
                if kind.shares:
                    kind = kind_of(_kind_said(entry), of_section)
                found[name] = kind.load("plan", "from_config")(name, entry, data, config)
    return found


def needs(experiments: Iterable[Experiment], config: Mapping[str, Any]) -> dict[str, Need]:
    """What the jobs of experiments need of memory and disk, by the path of what each makes."""
    found, sections = {}, settings(config)
    for experiment in experiments:
        made = [link for spec in experiment.data_sets for link in spec.chain()]
        own = kind_of(experiment.kind).load("sizes", "needs")(experiment, sections)
        for need in (*map(data_set, made), *own):
            found.setdefault(need.path, need)
    return found


def _kind_said(entry: Any) -> str:
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise InputError("kind: is missing; it gives the kind of question")
    return entry["kind"]


def _marked(kind: str) -> Iterator[Shown]:
    """What the figures of a kind are marked to show, read off the source."""
    folder = FOLDER / kind / "figures"
    files = sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    for file in filter(Path.exists, files):
        module = f"{PACKAGE}.{'.'.join(file.relative_to(FOLDER).with_suffix('').parts)}"
        for name, (label, of, when, page) in _marks(file.read_text(encoding="utf-8")).items():
            yield Shown(name, label, of, when, f"{module}:{name}", page)


# By the text, so that a changed file is read anew.
@cache
def _marks(text: str) -> dict[str, tuple[str, str, str, bool]]:
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "reported":
                    given = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}
                    label = ast.literal_eval(mark.args[0])
                    page = getattr(node.returns, "id", "") == "str"
                    found[node.name] = label, given["of"], given.get("when", ""), page
    return found


# As above.
@cache
def _named(text: str) -> tuple[str, ...]:
    """Figures that the text of a kind's ``answer.py`` names."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == FIGURES:
            return tuple(ast.literal_eval(node.value))
    return ()
