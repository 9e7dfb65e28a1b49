"""The paired tests that the gate decides with."""

import itertools
import math

import numpy as np
import pytest

from model.learning.significance import holm, mean_p_value, sign_flip_p_value, sum_by_source


def test_with_one_picture_a_source_the_sign_flip_test_is_mcnemars_exact_test() -> None:
    """14 broken and 5 repaired: the upper tail of Binomial(19, 1/2) from 14."""
    losses = np.array([1] * 14 + [-1] * 5 + [0] * 981)

    expected = sum(math.comb(19, heads) for heads in range(14, 20)) / 2**19

    assert sign_flip_p_value(losses) == pytest.approx(expected, rel=1e-12)


def test_the_sign_flip_distribution_is_that_of_all_sign_patterns() -> None:
    """Sources with several pictures lose or win more than one; every pattern of signs is counted once."""
    losses = np.array([3, -1, 2, 1, -2, 1, 0])
    sizes = np.abs(losses[losses != 0])
    sums = [np.dot(signs, sizes) for signs in itertools.product((1, -1), repeat=len(sizes))]

    assert sign_flip_p_value(losses) == pytest.approx(np.mean(np.array(sums) >= losses.sum()), rel=1e-12)


def test_nothing_that_differs_is_no_evidence() -> None:
    assert sign_flip_p_value(np.zeros(100, np.int64)) == 1.0


def test_under_the_null_hypothesis_the_mean_test_alarms_as_often_as_its_level_says() -> None:
    rng = np.random.default_rng(1)
    alarms = [mean_p_value(rng.normal(size=300)) < 0.05 for _ in range(2000)]

    assert 0.035 < np.mean(alarms) < 0.065


def test_a_mean_that_rises_for_every_source_alike_is_certain() -> None:
    assert mean_p_value(np.full(10, 0.5)) == 0.0
    assert mean_p_value(np.zeros(10)) == 1.0


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    """The example of Holm's procedure: sorted 0.005, 0.01, 0.03, 0.04 become 0.02, 0.03, 0.06, 0.06."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


def test_pictures_of_one_source_are_summed() -> None:
    sums = sum_by_source(np.array([1, -1, 2, 5]), np.array([7, 3, 7, 9]))

    np.testing.assert_array_equal(sums, [-1, 3, 5])
