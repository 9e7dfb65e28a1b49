"""Networks as bytes: safetensors files, the parameters by name and where they come from in the metadata."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from model.errors import CheckpointError
from model.nn import architectures
from model.nn.network import Network

SHIPPED = Path(__file__).parent.parent / "weights"
"""The folder of the checkpoints that come with digitbot."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network as it was saved.

    Attributes:
        network: with its parameters.
        metadata: how it was made: architecture, command, seed, data checksum, metrics, ...
        sha256: of the file's bytes, in hexadecimal; the same weights with the same metadata have the same.
    """

    network: Network
    metadata: dict[str, str]
    sha256: str


def save(network: Network, metadata: dict[str, str]) -> bytes:
    """The network in the safetensors format; "architecture" is added to the metadata."""
    parameters = {name: np.ascontiguousarray(p) for name, p in network.parameters().items()}
    data = safetensors.numpy.save(parameters, {**metadata, "architecture": network.architecture})
    return _with_sorted_header(data)


def _with_sorted_header(data: bytes) -> bytes:
    """The same file with its header in one order: the library writes metadata in another one each time."""
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the tensors begin at a multiple of 8
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def load(data: bytes) -> Checkpoint:
    """What `save` was given. Raises `CheckpointError` for anything else, also values that are not finite."""
    try:
        tensors = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as exc:
        raise CheckpointError("not a safetensors file") from exc
    metadata = read_metadata(data)
    network = architectures.build(metadata.get("architecture", ""), np.random.default_rng(0))
    parameters = network.parameters()
    if parameters.keys() != tensors.keys():
        difference = ", ".join(sorted(parameters.keys() ^ tensors.keys()))
        raise CheckpointError(f"not the parameters of {network.architecture!r}; they differ in {difference}")
    for name, parameter in parameters.items():
        tensor = tensors[name]
        if tensor.shape != parameter.shape or tensor.dtype != np.float32:
            raise CheckpointError(
                f"{name} is {tensor.dtype} {tensor.shape}, expected float32 {parameter.shape}"
            )
        if not np.isfinite(tensor).all():
            raise CheckpointError(f"{name} has values that are not finite")
        parameter[...] = tensor
    return Checkpoint(network, metadata, hashlib.sha256(data).hexdigest())


def read_metadata(data: bytes) -> dict[str, str]:
    """The metadata of a valid safetensors file, from its JSON header; the first 8 bytes are its length."""
    length = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] | None = json.loads(data[8 : 8 + length]).get("__metadata__")
    return metadata or {}


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises `CheckpointError` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise CheckpointError(f"cannot read {path}: {exc.strerror}") from exc


def load_file(path: Path) -> Checkpoint:
    """`load` of a file. Raises `CheckpointError` where it cannot be read."""
    data = read_file(path)
    try:
        return load(data)
    except CheckpointError as exc:
        raise CheckpointError(f"{path}: {exc}") from exc


def shipped(name: str) -> Checkpoint:
    """The checkpoint "reader", "judge" or "classic" that comes with digitbot."""
    return load_file(SHIPPED / f"{name}.safetensors")
