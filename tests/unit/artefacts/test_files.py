"""Files that stand alone show any later change."""

import json

import pytest

from koopscope.artefacts.files import check_file, sidecar, write_files
from koopscope.artefacts.store import PROVENANCE
from koopscope.errors import InputError

STAMP = {"kind": "summary", "parameters": {"a": 1}}


def test_a_file_that_stands_alone_shows_any_change(tmp_path):
    path = tmp_path / "deep" / "summary.md"
    write_files({path: "All is well.\n"}, STAMP)
    check_file(path)
    assert json.loads(sidecar(path).read_text())["kind"] == "summary"
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "summary.md",
        f"summary.md.{PROVENANCE}",
    ]
    path.write_text("All is lost.\n")
    with pytest.raises(InputError, match="contents differ from their digest"):
        check_file(path)
