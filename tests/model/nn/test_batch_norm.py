"""Batch normalisation evens numbers out while training, and is gone from a network in use."""

import numpy as np

from model.nn import architectures
from model.nn.batch_norm import BatchNorm
from model.nn.convolution import Conv2D
from model.nn.folding import fold
from model.nn.network import CHUNK
from model.nn.normalized_convolution import NormalizedConv2D


def test_every_channel_comes_out_with_mean_0_and_variance_1(rng: np.random.Generator) -> None:
    x = rng.normal([5, -3], [2, 0.1], (4, 6, 7, 2))

    y = BatchNorm().infer(x)

    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=2e-3)


def test_a_channel_that_is_the_same_everywhere_comes_out_as_0() -> None:
    np.testing.assert_array_equal(BatchNorm().infer(np.full((2, 3, 2, 1), 7.0)), 0)


def test_convolution_and_normalisation_in_one_are_the_two_one_after_the_other(
    rng: np.random.Generator,
) -> None:
    one = NormalizedConv2D(Conv2D(1, 5, padding=0, rng=rng, dtype=np.float64))
    convolution, normalisation = one.parts
    x, grad = rng.random((9, 3, 8, 1)), rng.normal(size=(7, 3, 6, 5))

    z, columns = convolution.forward(x)
    y, statistics = normalisation.forward(z)
    grad_z, _ = normalisation.backward(grad, statistics)
    grad_x, gradients = convolution.backward(grad_z, columns)

    at_once, cache = one.forward(x)
    np.testing.assert_allclose(at_once, y, atol=1e-12)
    np.testing.assert_allclose(one.backward(grad, cache)[0], grad_x, atol=1e-12)
    np.testing.assert_allclose(
        one.parameter_gradients(grad, cache)["weight"], gradients["weight"], atol=1e-10
    )


def test_only_the_first_layer_of_the_reader_is_normalised_from_its_windows(rng: np.random.Generator) -> None:
    layers = architectures.build_for_training("reader", rng).layers

    assert [i for i, layer in enumerate(layers) if isinstance(layer, NormalizedConv2D)] == [1]
    assert sum(isinstance(layer, BatchNorm) for layer in layers) == 5


def test_a_folded_network_answers_as_the_one_it_was_made_of_does_on_the_same_pixels(
    rng: np.random.Generator,
) -> None:
    network, pixels = architectures.build_for_training("reader", rng, np.float64), rng.random((CHUNK, 784))
    for name, parameter in network.parameters().items():
        if name.endswith("bias"):
            parameter[...] = rng.normal(size=parameter.shape)
    before = {name: parameter.copy() for name, parameter in network.parameters().items()}

    folded = fold(network, pixels)

    np.testing.assert_allclose(folded.outputs(pixels), network.outputs(pixels), rtol=1e-9, atol=1e-9)
    assert folded.parameters().keys() == architectures.build("reader", rng).parameters().keys()
    for name, parameter in network.parameters().items():
        np.testing.assert_array_equal(parameter, before[name])


def test_statistics_are_those_of_all_pixels_whatever_the_chunks_they_pass_in(
    rng: np.random.Generator,
) -> None:
    network, pixels = architectures.build_for_training("reader", rng, np.float64), rng.random((40, 784))

    together, shuffled = fold(network, pixels), fold(network, rng.permutation(pixels))

    for name, parameter in together.parameters().items():
        np.testing.assert_allclose(parameter, shuffled.parameters()[name], rtol=1e-9)


def test_a_network_without_batch_normalisation_stays_as_it_is(rng: np.random.Generator) -> None:
    network = architectures.build("classic", rng)

    folded = fold(network, rng.random((5, 784), np.float32))

    for name, parameter in network.parameters().items():
        np.testing.assert_array_equal(parameter, folded.parameters()[name])
