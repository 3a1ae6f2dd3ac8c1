"""Questions on when to stop: what they become, and what is refused before any work starts."""

import json

import pytest
from fixtures.watching import planned

from koopscope.errors import InputError
from koopscope.experiments.stopping.names import CHOSEN, PAIRS, RULES, SETTINGS
from koopscope.experiments.stopping.plan import from_dict


def test_a_question_comes_back_from_its_json():
    plan = planned("stopping", epochs=9)
    again = from_dict(json.loads(json.dumps(plan.to_dict("stopping"))))
    assert again == plan
    assert again.to_dict("stopping") == plan.to_dict("stopping")
    assert (again.kind, again.stores) == ("stopping", ("stopping",))


def test_every_rule_has_its_chosen_setting_among_its_settings():
    assert CHOSEN.keys() == SETTINGS.keys()
    assert all(CHOSEN[rule] in values for rule, values in SETTINGS.items())
    assert {name for pair in PAIRS for name in pair} <= set(RULES)


def test_too_few_windows_are_refused_in_one_line():
    message = "^monitor.one.epochs: 3 epochs of 8 snapshots leave no three windows of 17; give more"
    with pytest.raises(InputError, match=message) as refused:
        planned("stopping", epochs=3)
    assert "\n" not in str(refused.value)
