"""Every layer's backward pass is the derivative of its forward pass; in use it gives the same output."""

import numpy as np
import pytest

from model.errors import ShapeError
from model.nn import convolution
from model.nn.activations import BiasReLU, Sigmoid
from model.nn.batch_norm import BatchNorm
from model.nn.convolution import Conv2D
from model.nn.dropout import Dropout
from model.nn.layer import Layer
from model.nn.linear import Linear
from model.nn.normalized_convolution import NormalizedConv2D
from model.nn.pooling import MaxPool2D
from model.nn.shape import Flatten, ToImage
from tests.model.nn.derivatives import assert_backward_is_derivative

ROWS, IMAGES = (4, 9), (4, 2, 6, 3)


def _layers(rng: np.random.Generator) -> dict[str, tuple[Layer, tuple[int, ...]]]:
    """Every kind of layer in float64, with the shape of an input."""
    bias_relu = BiasReLU(3, dtype=np.float64)
    bias_relu.bias[:] = rng.normal(size=3)
    return {
        "linear": (Linear(9, 5, rng=rng, dtype=np.float64), ROWS),
        "sigmoid": (Sigmoid(), ROWS),
        "batch normalisation": (BatchNorm(), IMAGES),
        "bias and ReLU": (bias_relu, IMAGES),
        "convolution with padding": (Conv2D(3, 4, rng=rng, dtype=np.float64), IMAGES),
        "convolution without padding": (Conv2D(3, 4, padding=0, rng=rng, dtype=np.float64), IMAGES),
        "convolution of a single row": (Conv2D(3, 4, rng=rng, dtype=np.float64), (1, 2, 4, 3)),
        "normalised convolution": (NormalizedConv2D(Conv2D(3, 4, rng=rng, dtype=np.float64)), IMAGES),
        "normalised convolution without padding": (
            NormalizedConv2D(Conv2D(3, 4, padding=0, rng=rng, dtype=np.float64)),
            IMAGES,
        ),
        "large convolution": (Conv2D(3, 2, kernel_size=5, padding=1, rng=rng, dtype=np.float64), IMAGES),
        "max-pooling": (MaxPool2D(), IMAGES),
        "dropout without lots": (Dropout(0.5), ROWS),
        "to image": (ToImage(3), ROWS),
        "flatten": (Flatten(), IMAGES),
    }


NAMES = list(_layers(np.random.default_rng(0)))


@pytest.mark.parametrize("name", NAMES)
def test_backward_is_the_derivative_of_forward(name: str, rng: np.random.Generator) -> None:
    layer, shape = _layers(rng)[name]

    assert_backward_is_derivative(layer, rng.normal(size=shape), rng)


@pytest.mark.parametrize("name", NAMES)
def test_infer_is_forward_without_a_cache_and_leaves_its_input_alone(
    name: str, rng: np.random.Generator
) -> None:
    layer, shape = _layers(rng)[name]
    x = rng.normal(size=shape)
    before = x.copy()

    np.testing.assert_allclose(layer.infer(x), layer.forward(x)[0], rtol=1e-12)
    np.testing.assert_array_equal(x, before)


def test_convolution_is_the_sum_over_its_window(rng: np.random.Generator) -> None:
    layer = Conv2D(2, 3, rng=rng, dtype=np.float64)
    x = rng.normal(size=(5, 4, 6, 2))
    padded = np.pad(x, ((1, 1), (0, 0), (1, 1), (0, 0)))

    y = layer.infer(x)

    for h, n, w in np.ndindex(5, 4, 6):
        window = padded[h : h + 3, n, w : w + 3]
        np.testing.assert_allclose(y[h, n, w], np.einsum("ijc,ijck->k", window, layer.weight))


@pytest.mark.parametrize(("batch", "channels"), [(16, 32), (7, 32), (1, 400)])
def test_a_product_that_is_cut_into_small_ones_comes_out_the_same(
    batch: int, channels: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = Conv2D(channels, channels, rng=rng, dtype=np.float64)
    x, grad = rng.normal(size=(2, 5, batch, 27, channels))

    monkeypatch.setattr(convolution, "SMALL", 10**12)
    y, cache = layer.forward(x)
    grad_x, gradients = layer.backward(grad, cache)
    monkeypatch.setattr(convolution, "SMALL", 100_000)
    small_y, small_cache = layer.forward(x)
    small_grad_x, small_gradients = layer.backward(grad, small_cache)

    np.testing.assert_allclose(small_y, y, atol=1e-12)
    np.testing.assert_allclose(small_grad_x, grad_x, atol=1e-12)
    np.testing.assert_allclose(small_gradients["weight"], gradients["weight"], atol=1e-10)


def test_max_pooling_gives_the_gradient_of_a_tie_to_one_winner() -> None:
    flat = np.zeros((2, 1, 2, 1))
    layer = MaxPool2D()
    y, cache = layer.forward(flat)

    grad_x, _ = layer.backward(np.ones_like(y), cache)

    assert sorted(grad_x.ravel()) == [0, 0, 0, 1]


def test_sigmoid_is_finite_far_from_zero() -> None:
    np.testing.assert_array_equal(Sigmoid().infer(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])


def test_dropout_keeps_the_expected_value_and_its_gradient_is_the_mask(rng: np.random.Generator) -> None:
    layer, x = Dropout(0.3), np.ones((500, 40))

    y, cache = layer.forward(x, rng)
    grad_x, _ = layer.backward(np.ones_like(y), cache)

    assert set(np.unique(y)) == {0, 1 / 0.7}
    assert y.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(grad_x, y)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Linear(3, 2, rng=np.random.default_rng(0)), (4, 5)),
        (Conv2D(3, 2, rng=np.random.default_rng(0)), (4, 1, 4, 2)),
        (MaxPool2D(), (3, 1, 4, 2)),
        (ToImage(28), (1, 100)),
        (Flatten(), (1, 100)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Layer) else None,
)
def test_another_shape_is_an_error_that_names_it(layer: Layer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=str(shape).replace("(", r"\(").replace(")", r"\)")):
        layer.infer(np.zeros(shape))
