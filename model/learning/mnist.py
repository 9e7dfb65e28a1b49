"""MNIST: 70,000 handwritten digits of 28x28 pixels (LeCun, Cortes & Burges 1998, http://yann.lecun.com/exdb/mnist/)."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pooch
from numpy.typing import NDArray

from model.errors import DataError
from model.learning.examples import Examples

SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
"""The four files and their checksums."""

SOURCES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Mirrors of the original files, asked in this order."""

TRAINING_EXAMPLES = 55_000
"""So many of the 60,000 train; the other 5,000 choose and gate; the 10,000 test images only report."""


@dataclass(frozen=True, slots=True, eq=False)
class Mnist:
    """The digits, honestly split.

    Attributes:
        train: 55,000, to train on.
        validation: 5,000, to choose and to gate with.
        test: 10,000, to report.
        sha256: of the checksums of the four files, in hexadecimal; names the data in a checkpoint.
    """

    train: Examples
    validation: Examples
    test: Examples
    sha256: str


def load(folder: Path) -> Mnist:
    """The four files of this folder. Raises `DataError` where one is missing or its checksum differs."""
    arrays = [_read(folder / name) for name in SHA256]
    train, validation = Examples(arrays[0], arrays[1]).split(TRAINING_EXAMPLES)
    test = Examples(arrays[2], arrays[3])
    return Mnist(train, validation, test, hashlib.sha256("".join(SHA256.values()).encode()).hexdigest())


def fetch(folder: Path, timeout: float = 10.0) -> None:
    """Download what is missing in this folder, checked.

    Args:
        folder: made where it does not exist.
        timeout: seconds to wait for a connection or for the next bytes.

    Raises:
        DataError: a file could not be had from any source.
    """
    for name, sha256 in SHA256.items():
        if not (folder / name).is_file():
            _download(folder, name, sha256, timeout)


def _download(folder: Path, name: str, sha256: str, timeout: float) -> None:
    downloader = pooch.HTTPDownloader(timeout=timeout)
    reasons = []
    for source in SOURCES:
        try:
            pooch.retrieve(source + name, f"sha256:{sha256}", name, folder, downloader=downloader)
        except (OSError, ValueError) as exc:  # no connection, no such file; another checksum
            reasons.append(f"{urlsplit(source).hostname}: {_innermost(exc)}")
        else:
            return
    raise DataError(f"cannot download {name} into {folder} ({'; '.join(reasons)})")


def _innermost(error: BaseException) -> str:
    """What happened at first; each library around it adds in many words what it was doing."""
    while error.__context__ is not None:
        error = error.__context__
    return getattr(error, "strerror", None) or str(error)


def _read(path: Path) -> NDArray[np.uint8]:
    """An array in the idx format: two zero bytes, 8 for uint8, the number of axes, their lengths, values."""
    try:
        packed = path.read_bytes()
    except OSError as exc:
        raise DataError(f"cannot read {path}: {exc.strerror}") from exc
    if hashlib.sha256(packed).hexdigest() != SHA256[path.name]:
        raise DataError(f"{path} is not the file that MNIST was published with: its checksum differs")
    data = gzip.decompress(packed)
    axes = data[3]
    shape = np.frombuffer(data, ">u4", axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)
