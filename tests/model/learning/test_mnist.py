"""MNIST is read as published, split honestly, and never taken on trust."""

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from model.errors import DataError
from model.learning import mnist


@pytest.fixture
def folder() -> Path:
    """The four published files."""
    data = os.environ.get("DIGITBOT_TEST_DATA")
    if data is None or not (Path(data) / "mnist").is_dir():
        pytest.skip("needs MNIST: DIGITBOT_TEST_DATA names no folder with mnist/ in it")
    return Path(data) / "mnist"


def test_the_training_images_are_split_and_the_test_images_left_alone(folder: Path) -> None:
    digits = mnist.load(folder)

    assert [len(part) for part in (digits.train, digits.validation, digits.test)] == [55_000, 5_000, 10_000]
    assert digits.train.pixels.mean() == pytest.approx(0.1307, abs=0.001)
    assert digits.test.pixels.mean() == pytest.approx(0.1325, abs=0.0001)
    np.testing.assert_array_equal(
        np.bincount(digits.test.labels), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )


def test_a_file_with_another_checksum_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    for name in mnist.SHA256:
        shutil.copy(folder / name, tmp_path)
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    labels.chmod(0o600)
    labels.write_bytes(gzip.compress(gzip.decompress(labels.read_bytes())))

    with pytest.raises(DataError, match=labels.name):
        mnist.load(tmp_path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train-images"):
        mnist.load(tmp_path)


def test_without_a_network_fetching_fails_with_the_name_of_the_file_and_a_short_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "SOURCES", ("http://127.0.0.1:9/",))  # the discard port: nobody answers

    with pytest.raises(DataError) as refused:
        mnist.fetch(tmp_path, timeout=1)

    assert str(refused.value) == (
        f"cannot download train-images-idx3-ubyte.gz into {tmp_path} (127.0.0.1: Connection refused)"
    )


def test_nothing_is_fetched_where_the_files_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "SOURCES", ())

    mnist.fetch(folder)
