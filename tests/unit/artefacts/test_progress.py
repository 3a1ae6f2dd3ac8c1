"""What a stage leaves in its log."""

import re
import subprocess
import sys

import numpy as np

from koopscope.artefacts.progress import peak

STAGE = """
import sys
from koopscope.artefacts.progress import stage
with stage(sys.argv[1]):
    block = bytearray(300 * 2**20)
"""


def test_the_most_memory_is_that_of_what_was_held():
    before = peak()
    held = np.ones(2**25)
    assert peak() >= max(before, held.nbytes)


def test_a_log_says_how_long_a_stage_took_and_how_much_memory(tmp_path):
    log = tmp_path / "log"
    subprocess.run([sys.executable, "-c", STAGE, log], check=True)
    said = re.search(r"took (\S+) s and (\d+) MB, (\d+) of them to begin with", log.read_text())
    seconds, most, first = map(float, said.groups())
    assert 0 <= seconds < 600 and 290 < most - first < 330 and first < 200


def test_a_stage_that_fails_says_no_such_thing(tmp_path):
    log = tmp_path / "log"
    failing = STAGE + "    1 / 0\n"
    done = subprocess.run([sys.executable, "-c", failing, log], capture_output=True)
    assert done.returncode and "took" not in log.read_text()
