"""The folder of test data that is not part of the project: MNIST, photos, the Bot API as data."""

import os
from pathlib import Path

import pytest


def folder(name: str) -> Path:
    """A folder below DIGITBOT_TEST_DATA, such as "mnist"; skips the test where there is none."""
    root = os.environ.get("DIGITBOT_TEST_DATA")
    if root is None or not (Path(root) / name).is_dir():
        pytest.skip(f"DIGITBOT_TEST_DATA names no folder with {name}")
    return Path(root) / name
