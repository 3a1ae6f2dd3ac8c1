"""What the documentation shows works: every Python block of every page, in its order.

A page may say in a comment, which readers do not see, what its examples are given: a model, a loop.
"""

import doctest
import re
from importlib import import_module

import pytest
import torch
from fixtures.imports import modules
from fixtures.places import DOCS, ROOT

BLOCK = re.compile(r"^<!-- given\n(?P<given>.*?)^-->|^```python\n(?P<shown>.*?)^```", re.M | re.S)
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
    if "```python" in page.read_text() and page.stem != "tutorial"
]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_examples(page)


def test_the_tutorial_tells_the_optimisers_apart_and_not_the_control(capsys):
    run_examples(DOCS / "tutorial.md")
    said = capsys.readouterr().out
    assert "adam: distinguished" in said
    assert re.search("control: (not distinguished|inconclusive)", said)


def run_examples(page):
    text, names = page.read_text(), {"__name__": page.stem}
    blocks = list(BLOCK.finditer(text))
    assert any(block["shown"] for block in blocks)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for block in blocks:
            code = block["given"] or block["shown"]
            # Lines of a failure are those of the page.
            first = text.count("\n", 0, block.start()) + 1
            exec(compile("\n" * first + code, str(page), "exec"), names)


OFFERED = sorted(name for name, path in modules().items() if ">>> " in path.read_text())


@pytest.mark.parametrize("module", OFFERED)
def test_the_examples_of_docstrings_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(import_module(module))
    assert found.attempted and not found.failed
