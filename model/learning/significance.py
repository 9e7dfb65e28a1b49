"""Paired tests that say whether one network is worse than another on the same pictures.

Both networks see the same pictures, so only those on which they differ say anything. One source picture may
be shown in several renderings (plain, in other hands, through a camera); these hang together, so what is
resampled is the source.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.int64, np.float64)


def sign_flip_p_value(losses: NDArray[np.integer]) -> float:
    """Probability of a loss at least as large as observed if neither network were better (one-sided, exact).

    Args:
        losses: (S,) for each source picture the errors of the candidate minus those of its opponent.

    Were the two equally good, the sign of each source's difference would be a fair coin's. The distribution
    of the sum under all sign patterns is computed in full (Fisher 1935, The Design of Experiments, section
    21). Where every source has one picture this is McNemar's exact test, the sign test on broken against
    repaired pictures.
    """
    sizes, counts = np.unique(np.abs(losses[losses != 0]), return_counts=True)
    distribution = np.ones(1)  # of the number of units lost, from 0 to all of them
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        steps = np.zeros(size * count + 1)
        steps[::size] = _fair_binomial(count)
        distribution = np.convolve(distribution, steps)
    lost = int(losses[losses > 0].sum())
    return min(1.0, float(distribution[lost:].sum()))


def _fair_binomial(count: int) -> NDArray[np.float64]:
    """(count + 1,) probabilities of 0..count heads of fair coins."""
    logs = [
        math.lgamma(count + 1) - math.lgamma(heads + 1) - math.lgamma(count - heads + 1) - count * math.log(2)
        for heads in range(count + 1)
    ]
    return np.asarray(np.exp(np.array(logs)), np.float64)


def mean_p_value(rises: NDArray[np.floating]) -> float:
    """Probability of a mean rise at least as large as observed if the true mean were 0 (one-sided, normal).

    Args:
        rises: (S,) one value for each source picture, such as the rise of its log-loss; S in the hundreds or
            more, which is what lets the central limit theorem speak.
    """
    if len(rises) < 2:
        return 1.0
    spread = float(rises.std(ddof=1))
    mean = float(rises.mean())
    if spread == 0:
        return 0.0 if mean > 0 else 1.0
    return 0.5 * math.erfc(mean / (spread / math.sqrt(len(rises))) / math.sqrt(2))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted so that the chance of any false alarm among them stays below the level compared with.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def sum_by_source(values: NDArray[Number], sources: NDArray[np.integer]) -> NDArray[Number]:
    """(N,) values of pictures -> (S,) their sums for each source, in ascending order of the sources."""
    _, index = np.unique(sources, return_inverse=True)
    sums = np.zeros(int(index.max(initial=-1)) + 1, values.dtype)
    np.add.at(sums, index, values)
    return sums
