"""Results that are dated in the future are set back, and others are left alone."""

import os
import time

import pytest

from koopscope.artefacts import files, store
from koopscope.artefacts.dates import set_back
from koopscope.artefacts.seals import ENGINES

STAMP = {"kind": "figures", "parameters": {}}
LATER, EARLIER = time.time() + 86_400, time.time() - 86_400


@pytest.fixture
def made(tmp_path):
    with store.staged(tmp_path / "figures", STAMP) as folder:
        (folder / "a.png").write_text("drawn")
    (tmp_path / "figures" / ENGINES).touch()
    os.utime(tmp_path / "figures" / store.SEAL, (EARLIER, EARLIER))
    return tmp_path / "figures"


def test_a_folder_from_the_future_is_dated_to_its_seal(made):
    os.utime(made / ENGINES, (LATER, LATER))
    os.utime(made, (LATER, LATER))
    assert set_back([made]) == [made]
    for path in (made, made / ENGINES):
        assert path.stat().st_mtime == pytest.approx(EARLIER, abs=1)
    assert set_back([made]) == []


def test_what_was_sealed_in_the_future_is_dated_to_now(made):
    for path in (made, made / ENGINES, made / store.SEAL):
        os.utime(path, (LATER, LATER))
    set_back([made])
    assert abs((made / ENGINES).stat().st_mtime - time.time()) < 60


def test_a_file_and_a_link_are_set_back_too(made, tmp_path):
    files.write_files({tmp_path / "summary.md": "All is well.\n"}, STAMP)
    (tmp_path / "link").symlink_to(made)
    os.utime(tmp_path / "summary.md", (LATER, LATER))
    os.utime(tmp_path / "link", (LATER, LATER), follow_symlinks=False)
    both = [tmp_path / "summary.md", tmp_path / "link"]
    assert set_back(both) == both
    assert all(p.lstat().st_mtime <= time.time() for p in both)


def test_what_is_of_the_past_or_missing_is_left_alone(made):
    before = made.stat().st_mtime
    assert set_back([made, made / "missing"]) == []
    assert made.stat().st_mtime == before
