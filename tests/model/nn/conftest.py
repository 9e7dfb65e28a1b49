"""What the tests of the engine share."""

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """Randomness that is the same in every run."""
    return np.random.default_rng(20)
