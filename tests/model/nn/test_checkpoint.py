"""Checkpoints keep networks exactly, and nothing else is taken for one."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from model.errors import CheckpointError
from model.nn import architectures, checkpoint
from model.nn.network import Network


@pytest.fixture
def network(rng: np.random.Generator) -> Network:
    return architectures.build("classic", rng)


def test_a_checkpoint_gives_back_the_network_and_its_metadata(network: Network) -> None:
    data = checkpoint.save(network, {"seed": "7"})

    loaded = checkpoint.load(data)

    assert loaded.metadata == {"seed": "7", "architecture": "classic"}
    for name, parameter in network.parameters().items():
        np.testing.assert_array_equal(loaded.network.parameters()[name], parameter)
    assert loaded.sha256 == checkpoint.load(data).sha256
    assert loaded.sha256 != checkpoint.load(checkpoint.save(network, {"seed": "8"})).sha256


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 8, b"\xff" * 100, pickle.dumps({"0.weight": 1}), b"PK\x03\x04" + b"\x00" * 50],
    ids=["nothing", "zeros", "no header", "pickle", "zip"],
)
def test_what_is_no_safetensors_file_is_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        checkpoint.load(data)


def test_a_file_whose_metadata_is_null_is_refused_for_want_of_an_architecture(network: Network) -> None:
    data = safetensors.numpy.save(network.parameters())
    length = int.from_bytes(data[:8], "little")
    header = json.dumps({"__metadata__": None, **json.loads(data[8 : 8 + length])}).encode()

    with pytest.raises(CheckpointError, match="architecture"):
        checkpoint.load(len(header).to_bytes(8, "little") + header + data[8 + length :])


def test_a_cut_off_file_is_refused(network: Network) -> None:
    with pytest.raises(CheckpointError):
        checkpoint.load(checkpoint.save(network, {})[:-4])


def test_other_parameters_are_refused(network: Network) -> None:
    parameters = {**network.parameters(), "extra": np.zeros(1, np.float32)}

    with pytest.raises(CheckpointError, match="differ in extra"):
        checkpoint.load(safetensors.numpy.save(parameters, {"architecture": "classic"}))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros((784, 17), np.float32), "expected float32"),
        (np.zeros((784, 16), np.float64), "expected float32"),
        (np.full((784, 16), np.nan, np.float32), "not finite"),
    ],
    ids=["shape", "dtype", "NaN"],
)
def test_damaged_parameters_are_refused(network: Network, weight: np.ndarray, message: str) -> None:
    parameters = {**network.parameters(), "0.weight": weight}

    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(safetensors.numpy.save(parameters, {"architecture": "classic"}))


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nowhere"):
        checkpoint.load_file(tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize("name", ["classic", "reader"])
def test_the_shipped_weights_load_and_say_how_they_were_made(name: str) -> None:
    shipped = checkpoint.shipped(name)

    assert shipped.network.architecture == name
    assert shipped.metadata["command"].startswith(f"digitbot train --architecture {name} ")


def test_the_shipped_reader_is_at_most_a_megabyte() -> None:
    assert (checkpoint.SHIPPED / "reader.safetensors").stat().st_size <= 1_000_000
