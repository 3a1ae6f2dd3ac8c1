"""CIFAR-10's archive is read as its authors describe it, and nothing else is taken for it."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

from koopscope.config.data import DataSpec
from koopscope.config.reading import data_specs
from koopscope.data import cifar10
from koopscope.data.dataset import check
from koopscope.data.loading import load
from koopscope.errors import InputError
from koopscope.training.models import build
from koopscope.training.single import samples


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive of the real form, two records a file, whose checksum counts as the right one."""
    rng = np.random.default_rng(0)
    path = tmp_path / cifar10.ARCHIVE
    with tarfile.open(path, "w:gz") as made:
        for i, name in enumerate((*cifar10.TRAIN, *cifar10.TEST)):
            records = rng.integers(0, 256, (2, 1 + cifar10.PIXELS), dtype=np.uint8)
            records[:, 0] = [i, 9 - i]
            entry = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
            entry.size = records.size
            made.addfile(entry, io.BytesIO(records.tobytes()))
    monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_records_are_a_label_and_its_image(archive):
    found = cifar10.load(archive.parent)
    check(found)
    assert found["train_labels"].values.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert found["test_labels"].values.tolist() == [5, 4]
    with tarfile.open(archive) as opened:
        raw = opened.extractfile(f"{cifar10.FOLDER}/data_batch_2.bin").read()
    assert found["train_images"][2].values.tobytes() == raw[1 : 1 + cifar10.PIXELS]


def test_three_colours_come_to_the_residual_network_as_they_are(archive):
    found = load(DataSpec("cifar", "cifar10"), path=archive)
    images, _ = samples(found, build("resnet20", 0)).test
    assert images.shape == (2, 3, 32, 32)
    green = images[0, 1] * found.attrs["sd"] + found.attrs["mean"]
    expected = found["test_images"][0, 1024:2048].values.reshape(32, 32)
    np.testing.assert_allclose(green, expected, atol=1e-3)
    with pytest.raises(InputError, match="^data: 3072 pixels; give square images of at most 28"):
        samples(found, build("mnistnet", 0))


def test_another_file_is_refused(tmp_path):
    with pytest.raises(
        InputError, match="^data.cifar10.path: .* is not there; give cifar-10-binary"
    ):
        cifar10.load(tmp_path)
    (tmp_path / cifar10.ARCHIVE).write_bytes(b"something else")
    with pytest.raises(
        InputError, match="has SHA-256 .*, not c4a38c50.*; give the original archive"
    ):
        cifar10.load(tmp_path)


def test_without_a_path_it_is_refused_before_any_work():
    with pytest.raises(InputError, match="^data.c.path: missing; cifar10 is read from"):
        data_specs({"data": {"c": {"kind": "cifar10"}}})
    assert data_specs({"data": {"c": {"kind": "cifar10", "path": "x"}}})["c"].pixels == 3072
