"""Methods by name, and methods of the user's own, which may do anything."""

import math
import sys
from types import ModuleType

import pytest
from fixtures.known_runs import decaying

from koopscope.errors import InputError
from koopscope.experiments.known_answers.methods.answer import NO_ANSWER, Answer, ByDistance
from koopscope.experiments.known_answers.methods.table import METHODS, asked, method_of

GROUP = decaying(0.9, 3, 1)


@pytest.fixture
def own(monkeypatch):
    """A module of the user's own."""
    module = ModuleType("mine")
    module.half = lambda first, second: Answer(0.5, 1.0)
    module.number = 3
    monkeypatch.setitem(sys.modules, "mine", module)
    return module


def test_a_method_goes_by_its_name_or_by_its_module(own):
    assert method_of("loss_curve") is METHODS["loss_curve"]
    assert method_of("mine:half") is own.half


def test_limits_of_methods_are_known_beforehand():
    assert all(isinstance(method, ByDistance) for method in METHODS.values())
    limited = {name: method.most_runs for name, method in METHODS.items() if method.most_runs}
    assert limited == {"dsa": 60, "dsa_eigenvalues": 60}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("loss_curves", r"unknown 'loss_curves'; give package\.module:function, or one of loss_c"),
        (":half", "unknown ':half'; give"),
        ("mine:", "unknown 'mine:'; give"),
        ("mine:missing", r"'mine:missing' cannot be imported \(AttributeError: .*'missing'\); giv"),
        ("not_there:f", r"'not_there:f' cannot be imported \(ModuleNotFoundError: .*\); give"),
        ("mine:number", "'mine:number' is 3; give a function of two groups"),
    ],
)
def test_a_bad_name_is_refused_in_one_line(own, name, message):
    with pytest.raises(InputError, match=f"^methods: {message}") as error:
        method_of(name)
    assert "\n" not in str(error.value)


def test_a_module_that_fails_while_it_is_imported_is_refused(tmp_path, monkeypatch):
    (tmp_path / "breaks_at_once.py").write_text("raise OSError('no\\nfile')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"cannot be imported \(OSError: no file\)"):
        method_of("breaks_at_once:f")


@pytest.mark.parametrize("found", [Answer(0.25, 1.5), (0.25, 1.5), [0.25, 1.5]])
def test_an_answer_is_two_numbers(found):
    assert asked(lambda first, second: found, GROUP, GROUP) == Answer(0.25, 1.5)


def test_an_effect_may_be_unknown_or_infinite():
    answer = asked(lambda first, second: (0.5, math.inf), GROUP, GROUP)
    assert answer == Answer(0.5, math.inf)
    assert math.isnan(asked(lambda first, second: (0.5, math.nan), GROUP, GROUP).effect)


def raising(first, second):
    raise ZeroDivisionError("two\nlines")


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (raising, "^a method has no answer: ZeroDivisionError: two lines$"),
        (lambda first, second: None, "returned None, not a p-value and an effect"),
        (lambda first, second: 0.5, "returned 0.5, not a p-value and an effect"),
        (lambda first, second: (0.5, 1, 2), "not a p-value and an effect"),
        (lambda first, second: ("a", "b"), "not a p-value and an effect"),
        (lambda first, second: (1.5, 1), r"its p-value is 1\.5, not from 0 to 1"),
        (lambda first, second: (-0.5, 1), r"its p-value is -0\.5, not from 0 to 1"),
        (METHODS["dsa_eigenvalues"], "method dsa: 10 snapshots a run; give at least 20"),
    ],
)
def test_a_method_that_fails_has_no_answer_and_says_why(method, reason):
    short = GROUP.isel(step=slice(10))
    with pytest.warns(UserWarning, match=reason) as remarks:
        assert asked(method, short, short) is NO_ANSWER
    assert len(remarks) == 1


def test_nan_is_no_answer():
    assert asked(lambda first, second: (math.nan, 1.0), GROUP, GROUP) is NO_ANSWER
    assert math.isnan(NO_ANSWER.p_value)
    assert math.isnan(NO_ANSWER.effect)
