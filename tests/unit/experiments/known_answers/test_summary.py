"""What the summary and the captions say of a benchmark of known answers."""

import json

import pytest
from fixtures.known_answers import CASES_SHOWN, RATES, known_answers_store
from fixtures.rendered import caption, html

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.findings import filled
from koopscope.experiments.known_answers.summary import cases, text
from koopscope.experiments.known_answers.wording import counted, said
from koopscope.experiments.registry import kind_of
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown


def benchmark_facts(*arguments, **named):
    store = known_answers_store(*arguments, **named)
    found = facts_of("known_answers", {"known_answers": store})
    return json.loads(json.dumps(found, allow_nan=False))


def of_methods(*names):
    return {name: RATES[name] for name in names}


@pytest.fixture(scope="module")
def facts():
    return benchmark_facts()


def sentence(facts, begins):
    (found,) = [one for one in facts["sentences"] if one.startswith(begins)]
    return found


def test_a_section_has_its_tables(facts):
    found = markdown({"known_answers": {"one": facts}}, {})
    assert "## one\n\n**In which coordinates?**\n\n" in found and text(facts) in found
    assert "- **admissible**: At most 7 %" in found
    assert "6 methods on 5 cases (2 core equivalences, 1 other equivalence, 1 difference" in found
    assert "nan" not in found.lower() and "None" not in text(facts).replace("None of", "")


def test_methods_have_their_worst_case_and_their_power(facts):
    rows = {row["method"]: row for row in facts["methods"]}
    assert rows.keys() == RATES.keys()
    raw, chosen, none = (rows[n] for n in ("spectrum raw", "spectrum standardised", "output_cka"))
    assert (raw["worst_case"], raw["admissible"]) == ("units rescaled", False)
    assert raw["worst"]["mean"] == 100 and raw["power"]["mean"] == 100
    assert (chosen["worst_case"], chosen["admissible"]) == ("units rescaled", True)
    assert chosen["power_same_curve"]["mean"] == pytest.approx(90)
    assert chosen["power_other_curve"]["mean"] == pytest.approx(80)
    assert none["worst"]["mean"] is None and not none["admissible"]
    assert none["unanswered"] == ["units rescaled"]
    assert "| output\\_cka | – | – | no |" in text(facts)
    assert "| 1 of 5 |" in text(facts)


def test_the_choice_is_said_with_its_rule(facts):
    found = sentence(facts, "Coordinates are admissible")
    assert facts["chosen"] == "spectrum standardised"
    assert "each of the 2 core equivalences" in found and "at most 7 % of the draws of 10" in found
    assert "It is spectrum standardised, with at most 7.0 [" in found
    assert "(units rescaled) and a power of 85 [" in found


def test_where_nothing_is_admissible_the_nearest_is_named():
    facts = benchmark_facts(of_methods("spectrum raw", "loss_curve"))
    found = sentence(facts, "Coordinates are admissible")
    assert "None of the 1 asked is; the nearest is spectrum raw with 100.0 [" in found
    without = benchmark_facts({"spectrum raw": (0.0, None, 0.0, 1.0, 1.0)})
    assert "has an answer to all of them" in sentence(without, "Coordinates are")
    no_core = benchmark_facts({"spectrum raw": (0.0, 1.0, 1.0)}, CASES_SHOWN[2:])
    assert sentence(no_core, "No core equivalence was asked")


def test_what_raw_mistakes_for_a_difference_is_said(facts):
    found = sentence(facts, "spectrum raw takes for different, in more than 7 %")
    assert "1 of 2 core equivalences (units rescaled 100 %) and 0 of 1 other equivalence." in found
    without = benchmark_facts(of_methods("loss_curve"))
    assert not any("spectrum raw" in one for one in without["sentences"])
    assert "No spectra of weights were asked." in sentence(without, "Coordinates are admissible")


def test_the_price_of_the_choice_is_said(facts):
    found = sentence(facts, "Mean power over the differences is 85 [")
    assert "in spectrum standardised, 100 [" in found and "in spectrum raw" in found


def test_it_is_said_where_the_spectrum_knows_more_than_a_loss_curve_and_where_less(facts):
    sees = sentence(facts, "spectrum standardised sees more than loss_curve")
    assert "1 of 1 difference with the same loss curve (time reversed 90 against 5 %)" in sees
    errs = sentence(facts, "spectrum standardised errs less than loss_curve")
    assert "1 of 1 other equivalence (loss times 8 4 against 100 %)" in errs
    less = sentence(facts, "loss_curve sees more than spectrum standardised")
    assert "1 of 1 difference with another loss curve (tanh 100 against 80 %)" in less
    assert sorted(cases(facts)) == sorted(
        ("spectrum standardised", "loss_curve", measure, word)
        for measure, word in (
            ("false positives, %", "neither"),
            ("false positives, %", "neither"),
            ("false positives, %", "better"),
            ("power, %", "better"),
            ("power, %", "worse"),
        )
    )


def test_where_neither_is_better_that_is_said():
    facts = benchmark_facts(runs=20)
    assert "In no case is spectrum standardised better than loss_curve" in str(facts["sentences"])
    assert "In no case is loss_curve better than spectrum standardised" in str(facts["sentences"])


def test_without_a_loss_curve_or_a_spectrum_nothing_is_set_against_it():
    for name in ("spectrum raw", "loss_curve"):
        facts = benchmark_facts(of_methods(name))
        assert (facts["spectrum"], facts["against"]) == ("", [])
        assert "plain baseline" not in text(facts)
        assert "there is no spectrum with a loss curve" in caption(
            "spectrum_against_loss_curve", facts
        )


def test_methods_without_an_answer_and_other_admissible_ones_are_said(facts):
    assert sentence(facts, "No answer") == "No answer, of 5 cases: output_cka to 1."
    found = sentence(facts, "Of the 3 other methods 2 are admissible")
    assert "spectrum raw of probe (power 10 [" in found and "loss_curve (power 52 [" in found


def test_a_table_of_cases_has_a_handful_of_methods_of_which_the_chosen_is_one():
    shares = {f"spectrum whitened:{k}": RATES["spectrum standardised"] for k in range(1, 9)}
    facts = benchmark_facts(RATES | shares)
    assert len(facts["shown"]) == 5
    assert facts["shown"][:3] == ["spectrum raw", "spectrum standardised", "loss_curve"]
    assert len(facts["methods"]) == len(RATES) + 8


def test_many_cases_are_counted_and_not_all_named():
    names = ["weights rescaled", "units permuted", "renamed classes", "permuted pixels"]
    names += ["units rescaled", "fresh seeds", "omd/ogd tan"]
    facts = benchmark_facts({"spectrum raw": [1.0] * 6 + [0.5]}, names)
    found = sentence(facts, "spectrum raw takes")
    assert "7 of 7 core equivalences" in found and "and 2 more)" in found
    assert "omd/ogd tan" not in found


def test_shares_and_counts_are_said_as_they_are():
    assert said({"mean": 7.14, "low": 1.0, "high": 16.2}, 1) == "7.1 [1.0, 16.2]"
    assert said({"mean": None, "low": None, "high": None}) == "–"
    assert counted(1, "core equivalences") == "1 core equivalence"
    assert counted(2, "differences with another loss curve").startswith("2 differences with")


def test_captions_quote_the_numbers_and_the_answer(facts):
    rows = {"power_by_false_positives": 6, "known_answers_matrix": 3}
    rows["spectrum_against_loss_curve"] = sum(row["word"] != "neither" for row in facts["against"])
    assert rows.keys() == {shown.name for shown in kind_of("known_answers").shown}
    for figure, count in rows.items():
        found = caption(figure, facts)
        assert "in one" in found and "None" not in found.replace("None of", "")
        assert found.count("<li>") == count
    made = captions({"known_answers": {"one": facts}}, {"one": list(rows)})
    assert facts["answer"]["answer"] in html(made["one/power_by_false_positives"])


def test_a_page_of_findings_may_quote_the_tables(facts):
    parts = ("methods", "cases", "reasons", "against")
    page = "\n".join(f"<!-- numbers: one {part} -->\n<!-- end -->" for part in parts)
    found = filled(page, {"known_answers": {"one": facts}})
    assert "| spectrum standardised (chosen) | 7.0 [" in found
    assert "| time reversed | network | differences with the same loss curve |" in found


def test_what_is_no_benchmark_is_refused():
    with pytest.raises(InputError, match="^known_answers: dataset lacks effect .*; give a known"):
        store = known_answers_store().drop_vars("effect")
        facts_of("known_answers", {"known_answers": store})


def test_where_some_core_cases_were_not_asked_it_is_said_that_nothing_is_chosen():
    answers = known_answers_store()
    every = answers.attrs["core_cases"]
    told = kind_of("known_answers").load("summary", "facts")
    found = told({"known_answers": answers.assign_attrs(core_cases=every + 3)})
    assert f"Of the {every + 3} core equivalences {every} are asked about" in found["sentences"][0]
    assert "admissible by these: " in found["sentences"][0]
