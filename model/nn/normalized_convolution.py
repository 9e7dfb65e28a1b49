"""Convolution and batch normalisation in one layer, for images of few channels."""

import numpy as np

from model.nn.batch_norm import EPSILON, BatchNorm
from model.nn.convolution import Conv2D, pad
from model.nn.layer import Array, Gradients, Layer, Parameters

Cache = tuple[Array, Array, Array, Array]


class NormalizedConv2D(Layer):
    """`Conv2D` and then `BatchNorm`, computed without ever looking at what the convolution puts out.

    Let X hold the window of every pixel as a column, and the number 1 below it: (D + 1, M) with D =
    kernel_size^2 C numbers in a window and M pixels. A channel of the convolution is ``z = (w, 0)^T X`` with
    its D weights w. So what normalisation needs to know of z follows from the windows' mean m (D,) and
    covariance matrix S (D, D), which are small: ``mean(z) = w^T m``, ``variance(z) = w^T S w``. And as
    normalising scales and shifts, it is worked into the weights before they meet the image: ``y = v^T X``
    with ``v = (w, -mean(z)) / sqrt(variance(z) + epsilon)``.

    **Backward.** With d = dL/dy, `BatchNorm` gives ``dL/dz = (d - mean(d) - y mean(d y)) / sqrt(variance +
    epsilon)``, and dL/dw is the sum of the windows, each times dL/dz. Every term of it is a mean over the
    pixels again: those of X d, of X (which is m), and of X y = (X X^T) v; and ``mean(d y) = v^T mean(X d)``.
    So the only work in proportion to the pixels is one product, X d.

    S has D^2 numbers, so this pays where D is smaller than K, the number of channels that come out, as in
    the first layer of a network: for a 3x3 window on one channel D is 9.

    Args:
        convolution: whose weights are used and trained.
    """

    def __init__(self, convolution: Conv2D) -> None:
        self.convolution = convolution

    @property
    def parts(self) -> tuple[Conv2D, BatchNorm]:
        """The two layers that do the same one after the other."""
        return self.convolution, BatchNorm()

    @property
    def parameters(self) -> Parameters:
        """``weight`` (kernel_size, kernel_size, C, K), that of the convolution."""
        return self.convolution.parameters

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        """(H, N, W, C) -> (H', N, W', K); for `backward` X, X X^T / M, v, 1 / sqrt(variance + epsilon)."""
        windows, shape = self._windows(x)
        moments = windows @ windows.T / windows.shape[1]
        means, weights = moments[:-1, -1], self._matrix()
        covariance = moments[:-1, :-1] - np.outer(means, means)
        variance = np.maximum((weights * (covariance @ weights)).sum(axis=0), 0)
        inverse_deviation = 1 / np.sqrt(variance + EPSILON)
        scaled = np.vstack([weights, -means @ weights]) * inverse_deviation
        y: Array = windows.T @ scaled
        return y.reshape(*shape, -1), (windows, moments, scaled, inverse_deviation)

    def infer(self, x: Array) -> Array:
        """(H, N, W, C) -> (H', N, W', K), by this batch's own mean and variance."""
        return self.forward(x)[0]

    def backward(self, grad: Array, cache: Cache) -> tuple[Array, Gradients]:
        """dL/dy (H', N, W', K) -> dL/dx (H, N, W, C) and the gradient of the weight."""
        windows, _, scaled, inverse_deviation = cache
        rows = grad.reshape(-1, grad.shape[3])
        mean_grad, mean_grad_y = self._means(rows, cache)[1:]
        grad_z = (rows - mean_grad - (windows.T @ scaled) * mean_grad_y) * inverse_deviation
        grad_x = self.convolution.input_gradient(grad_z.reshape(grad.shape))
        return grad_x, self.parameter_gradients(grad, cache)

    def parameter_gradients(self, grad: Array, cache: Cache) -> Gradients:
        """dL/dy (H', N, W', K) -> the gradient of the weight."""
        _, moments, scaled, inverse_deviation = cache
        rows = grad.reshape(-1, grad.shape[3])
        window_grad, mean_grad, mean_grad_y = self._means(rows, cache)
        mean_grad_z = (
            window_grad - np.outer(moments[:-1, -1], mean_grad) - (moments[:-1] @ scaled) * mean_grad_y
        )
        mean_grad_z *= len(rows) * inverse_deviation
        return {"weight": mean_grad_z.reshape(self.convolution.weight.shape)}

    @staticmethod
    def _means(rows: Array, cache: Cache) -> tuple[Array, Array, Array]:
        """The means over all pixels of window d (kernel_size^2 C, K), of d and of d y (K,); d is (M, K)."""
        windows, _, scaled, _ = cache
        means = windows @ rows / len(rows)
        return means[:-1], means[-1], (scaled * means).sum(axis=0)

    def _matrix(self) -> Array:
        """The weight as (kernel_size^2 C, K)."""
        weight = self.convolution.weight
        return weight.reshape(-1, weight.shape[3])

    def _windows(self, x: Array) -> tuple[Array, tuple[int, int, int]]:
        """(H, N, W, C) -> every pixel's window above a 1, (kernel_size^2 C + 1, M), and (H', N, W')."""
        size, padding = len(self.convolution.weight), self.convolution.padding
        padded = pad(x, padding, padding)
        height, batch, width, channels = padded.shape
        shape = height - size + 1, batch, width - size + 1
        windows = np.ones((size * size * channels + 1, *shape), x.dtype)
        for number, (i, j, channel) in enumerate(np.ndindex(size, size, channels)):
            windows[number] = padded[i : i + shape[0], :, j : j + shape[2], channel]
        return windows.reshape(len(windows), -1), shape
