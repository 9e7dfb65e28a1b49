"""Networks compute what their layers say, keep no state, and train the same way every time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model.errors import CheckpointError
from model.nn import architectures
from model.nn.losses import HalfSquaredError, Loss, SoftmaxCrossEntropy, one_hot
from model.nn.network import Network
from model.nn.workers import Workers
from tests.model.nn.derivatives import STEP

ARCHITECTURES = ("classic", "reader")


@pytest.fixture(params=ARCHITECTURES)
def network(request: pytest.FixtureRequest, rng: np.random.Generator) -> Network:
    return architectures.build(request.param, rng)


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(0.1), HalfSquaredError()])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_backpropagation_gives_the_derivative_by_every_parameter(
    architecture: str, loss: Loss, rng: np.random.Generator
) -> None:
    network = architectures.build(architecture, rng, np.float64)
    x, targets = rng.random((2, 784)), one_hot(np.array([3, 8])).astype(float)

    _, gradients = network.gradients(x, targets, loss)

    def loss_along(direction: np.ndarray, parameter: np.ndarray, step: float) -> float:
        parameter += step * direction
        value = float(network.gradients(x, targets, loss)[0].sum())
        parameter -= step * direction
        return value

    for name, parameter in network.parameters().items():
        direction = rng.normal(size=parameter.shape) / np.sqrt(parameter.size)
        difference = loss_along(direction, parameter, STEP) - loss_along(direction, parameter, -STEP)
        assert (gradients[name] * direction).sum() == pytest.approx(
            difference / (2 * STEP), rel=1e-4, abs=1e-8
        )


def test_probabilities_are_ten_for_each_image_and_sum_to_one(
    network: Network, rng: np.random.Generator
) -> None:
    probabilities = network.probabilities(rng.random((40, 784), np.float32))

    assert probabilities.shape == (40, 10)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_probabilities_of_classic_are_its_sigmoids_divided_by_their_sum(rng: np.random.Generator) -> None:
    network, x = architectures.build("classic", rng), rng.random((3, 784), np.float32)

    h1, h2, o = network.activations(x)

    assert (h1.shape, h2.shape, o.shape) == ((3, 16), (3, 16), (3, 10))
    np.testing.assert_array_equal(o, network.outputs(x))
    np.testing.assert_allclose(network.probabilities(x), o / o.sum(axis=1, keepdims=True), rtol=1e-5)


def test_no_images_have_no_answers(network: Network) -> None:
    assert network.logits(np.empty((0, 784), np.float32)).shape == (0, 10)


def test_classic_has_the_seeds_13_002_parameters(rng: np.random.Generator) -> None:
    network = architectures.build("classic", rng)

    assert sum(parameter.size for parameter in network.parameters().values()) == 13_002
    assert network.parameters()["0.weight"].std() == pytest.approx(784**-0.5, rel=0.05)


def test_features_are_what_the_last_linear_layer_sees(network: Network, rng: np.random.Generator) -> None:
    x = rng.random((3, 784), np.float32)
    last = [name for name in network.parameters() if name.endswith("weight")][-1].removesuffix(".weight")

    features = network.features(x)

    after = network.layers[int(last)].infer(features)
    for layer in network.layers[int(last) + 1 :]:
        after = layer.infer(after)
    np.testing.assert_allclose(after, network.outputs(x), rtol=1e-4, atol=1e-6)


def test_threads_that_share_a_network_get_what_one_alone_gets(
    network: Network, rng: np.random.Generator
) -> None:
    x = rng.random((16, 784), np.float32)
    alone = network.logits(x)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: network.logits(x), range(12)))

    for logits in together:
        np.testing.assert_array_equal(logits, alone)


def test_a_copy_changes_alone(network: Network) -> None:
    copied = network.copy()
    for parameter in copied.parameters().values():
        parameter[...] = parameter + 1

    for name, parameter in network.parameters().items():
        np.testing.assert_allclose(copied.parameters()[name] - parameter, 1, rtol=1e-5)


def test_interpolation_goes_part_of_the_way(network: Network, rng: np.random.Generator) -> None:
    other = architectures.build(network.architecture, rng)

    between = network.interpolate(other, 0.75).parameters()

    for name, parameter in network.parameters().items():
        np.testing.assert_allclose(
            between[name], 0.25 * parameter + 0.75 * other.parameters()[name], atol=1e-6
        )


def test_an_unknown_architecture_is_an_error_that_names_the_known_ones(rng: np.random.Generator) -> None:
    with pytest.raises(CheckpointError, match="classic, reader"):
        architectures.build("transformer", rng)


def test_workers_get_the_gradients_of_the_whole_batch(network: Network, rng: np.random.Generator) -> None:
    x, targets = rng.random((13, 784), np.float32), one_hot(rng.integers(0, 10, 13))
    loss = SoftmaxCrossEntropy()
    losses, expected = network.gradients(x, targets, loss)

    with Workers(threads=2, parts=3, chunk=2) as workers:
        mean, gradients = workers.gradients(network, x, targets, loss)

    assert mean == pytest.approx(losses.mean(), rel=1e-4)
    for name, gradient in expected.items():
        np.testing.assert_allclose(gradients[name], gradient / 13, rtol=1e-3, atol=1e-5)


def test_the_number_of_threads_changes_no_bit(network: Network, rng: np.random.Generator) -> None:
    x, targets = rng.random((16, 784), np.float32), one_hot(rng.integers(0, 10, 16))

    results = []
    for threads in (1, 2):
        with Workers(threads, parts=2, chunk=4) as workers:
            results.append(workers.gradients(network, x, targets, SoftmaxCrossEntropy(), seed=(7,))[1])

    for name, gradient in results[0].items():
        np.testing.assert_array_equal(gradient, results[1][name])
