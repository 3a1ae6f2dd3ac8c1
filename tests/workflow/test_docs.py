"""The documentation builds from a run, has no dead link, and loads nothing from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

CHECKOUT = Path(__file__).parents[2]


class Links(HTMLParser):
    """Anchors of a page, where its links lead, and what a browser loads for it."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found["id"]} if found.get("id") else set()
        if tag == "a" and found.get("href"):
            self.links.add(found["href"])
        if tag in ("img", "script", "iframe") and found.get("src"):
            self.loaded.add(found["src"])
        if tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.add(found["href"])


def build(results, folder):
    """Build the documentation as ``make docs`` does, from these results."""
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(folder)],
        cwd=CHECKOUT,
        env={**os.environ, "KOOPSCOPE_RESULTS": str(results)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def site(smoke, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(smoke.root / "results", folder)
    assert done.returncode == 0, done.stdout
    return {page: Links(page.read_text()) for page in folder.rglob("*.html")}


def test_every_link_leads_somewhere(site):
    dead = []
    for page, found in site.items():
        for link in found.links | found.loaded:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchor = unquote(parts.fragment)
            if not target.exists() or anchor and target in site and anchor not in site[target].ids:
                dead.append(f"{page.name}: {link}")
    assert not dead, "\n".join(dead)


def test_a_page_loads_nothing_from_elsewhere(site):
    assert not {link for found in site.values() for link in found.loaded if urlsplit(link).scheme}
    styles = [path for path in {p.parent for p in site} for path in path.glob("_static/**/*.css")]
    assert styles
    for style in styles:
        assert not re.search(r"url\(['\"]?https?:|@import", style.read_text()), style.name


def test_the_gallery_shows_every_figure_that_the_run_drew(site, smoke):
    drawn = {path.stem for path in smoke.root.glob("results/figures/*/*/*.png")}
    shown = {
        Path(link).stem
        for page, found in site.items()
        if page.parent.name == "gallery"
        for link in found.loaded
        if link.endswith(".png")
    }
    assert shown == drawn


def test_a_call_of_the_gallery_draws_its_figure(site, smoke, tmp_path, monkeypatch):
    pages = (CHECKOUT / "docs/gallery").glob("*.md")
    calls = re.findall(r"```python\n(.*?)```", "".join(page.read_text() for page in pages), re.S)
    assert len(calls) > 20
    (tmp_path / "results").symlink_to(smoke.root / "results")
    monkeypatch.chdir(tmp_path)
    for call in calls[::8]:
        exec(call, {})
    assert len(list(tmp_path.glob("*.pdf"))) == len(calls[::8])


def test_without_a_run_it_says_what_to_do(tmp_path):
    done = build(tmp_path / "nothing", tmp_path / "site")
    assert done.returncode != 0
    assert "nothing/figures: no figures to show" in done.stdout
    assert "make CONFIG=config/smoke.yaml" in done.stdout
