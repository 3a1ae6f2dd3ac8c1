"""What the smoke run shows first: the page of answers, the summary with its tables, and its log."""

import csv
import html
import json
import re


def answers(checkout):
    sections = json.loads((checkout.root / "results/summary.json").read_text())
    del sections["run"]
    return {name: found for section in sections.values() for name, found in section.items()}


def test_the_page_of_answers_has_a_row_and_a_picture_for_each_question(smoke):
    results, found = smoke.root / "results", answers(smoke)
    page = html.unescape((results / "answers.html").read_text())
    assert page.count('<th scope="row">') == page.count("data:image/png;base64,") == len(found)
    for name, facts in found.items():
        assert facts["answer"]["answer"] in page and f'<section id="{name}">' in page
    assert "is missing" not in page and "another version" not in page
    links = re.findall(r'href="([^"]+)"', page)
    assert not [
        link for link in links if not link.startswith("#") and not (results / link).exists()
    ]
    assert {link[1:] for link in links if link.startswith("#")} == set(found)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)
    # Of studies' spectra each eigenvalue can be pointed at.
    of_studies = [name for name, facts in found.items() if facts["kind"] == "equivalence"]
    pages = [link for link in links if link.endswith("every_eigenvalue.html")]
    assert [link.split("/")[1] for link in pages] == of_studies
    assert all((results / link).stat().st_size < 1e6 for link in pages)


def test_the_summary_opens_on_the_answers_and_every_table_is_a_file(smoke):
    results, found = smoke.root / "results", answers(smoke)
    text = (results / "summary.md").read_text()
    opening = text[: text.index("\n## ")]
    assert opening.count("\n") < 40 and opening.count("\n| ") == len(found) + 2
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (results / link).stat().st_size > 0, link
    with (results / "tables/dictionary.csv").open(newline="") as file:
        said = {(row["file"], row["column"]) for row in csv.DictReader(file)}
    for path in (results / "tables").glob("*.csv"):
        if path.name != "dictionary.csv":
            with path.open(newline="") as file:
                columns = next(csv.reader(file))
            assert {(path.name, column) for column in columns} <= said
    with (results / "tables/answers.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == list(found)


def test_a_run_says_one_line_for_each_job_and_nothing_of_bars(smoke):
    done = re.findall(r"^(\d+) of (\d+) jobs \(\d+ %\)", smoke.log, re.M)
    total = int(done[0][1])
    assert [int(count) for count, _ in done] == list(range(1, total + 1))
    assert "min left; last: " in smoke.log
    for fragment in ("it/s", "%|", "Select jobs", "Reason: ", "Finished jobid", "\r"):
        assert fragment not in smoke.log
