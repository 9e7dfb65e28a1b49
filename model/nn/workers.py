"""Gradients and answers of large batches, computed by several threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from model.heap import keep_freed_memory
from model.nn.layer import Array, Gradients
from model.nn.losses import Loss
from model.nn.network import Network

Result = TypeVar("Result")


class Workers:
    """Threads that share the work of a batch; a context manager.

    NumPy leaves Python's lock while it computes, so two threads keep two cores busy, each with a chunk of
    images that fits into its cache, through all layers and back. Every matrix product meanwhile runs in the
    thread that asked for it.

    The batch is cut into the same parts and the parts' gradients are added in the same order whatever the
    number of threads and whichever finishes first: the same seed gives the same weights bit for bit.
    """

    def __init__(self, threads: int = 2, parts: int = 2, chunk: int = 4) -> None:
        self.parts = parts
        self.chunk = chunk
        self._pool = ThreadPoolExecutor(threads)
        keep_freed_memory()
        self._limits = threadpool_limits(1, user_api="blas")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._limits.restore_original_limits()

    def map(self, function: Callable[[int], Result], count: int) -> list[Result]:
        """``[function(0), ..., function(count - 1)]``, computed side by side."""
        return [function(0)] if count == 1 else list(self._pool.map(function, range(count)))

    def gradients(
        self, network: Network, x: Array, targets: Array, loss: Loss, seed: tuple[int, ...] | None = None
    ) -> tuple[float, Gradients]:
        """The mean loss of a batch and its gradients.

        Args:
            network: whose parameters the gradients are taken by.
            x: (N, 784).
            targets: (N, K), as the loss takes them.
            loss: of each example.
            seed: for layers that draw lots, such as dropout; without it they do not.
        """
        bounds = np.linspace(0, len(x), self.parts + 1).round().astype(int)

        def part(i: int) -> tuple[float, Gradients]:
            rng = None if seed is None else np.random.default_rng((*seed, i))
            total, total_gradients = 0.0, Gradients()
            for start in range(bounds[i], bounds[i + 1], self.chunk):
                chunk = slice(start, min(start + self.chunk, bounds[i + 1]))
                losses, gradients = network.gradients(x[chunk], targets[chunk], loss, rng)
                total += float(losses.sum())
                _add(total_gradients, gradients)
            return total, total_gradients

        results = self.map(part, self.parts)
        total, gradients = results[0]
        for other, other_gradients in results[1:]:
            total += other
            _add(gradients, other_gradients)
        for gradient in gradients.values():
            np.divide(gradient, len(x), out=gradient)
        return total / len(x), gradients

    def map_chunks(self, function: Callable[[Array], Array], x: Array, size: int = 256) -> Array:
        """``function(x)`` for a function that treats each row on its own, such as `Network.logits`."""
        count = -(-len(x) // size)
        return np.concatenate(self.map(lambda i: function(x[i * size : (i + 1) * size]), count))


def _add(total: Gradients, gradients: Gradients) -> None:
    """Add to the total, in place; an empty total takes the arrays over."""
    for name, gradient in gradients.items():
        if name in total:
            np.add(total[name], gradient, out=total[name])
        else:
            total[name] = gradient
