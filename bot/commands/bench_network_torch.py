"""PyTorch's side of the network's benchmark: the same tasks and architectures, in a process of its own.

    PYTHON-WITH-TORCH bench_network_torch.py TASK

It imports nothing of digitbot, because that Python need not have it.
"""

import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from torch import nn

THREADS = 2
BATCH = 64
IMAGES = 10_000
"""Of which the fastest counts."""
READER_STAGES = ((32, 0, False), (32, 0, True), (64, 1, False), (64, 0, True), (96, 1, False), (96, 1, False))
"""As `model.nn.architectures.READER_STAGES`."""


def classic() -> Any:
    """784-16-16-10, sigmoids."""
    sizes = (784, 16, 16, 10)
    layers = [layer for i in range(3) for layer in (nn.Linear(sizes[i], sizes[i + 1]), nn.Sigmoid())]
    return nn.Sequential(*layers)


def reader(*, batch_norm: bool) -> Any:
    """The reader's layers, channels last in memory, which is faster here; batch normalisation to train."""
    layers: list[Any] = []
    in_channels = 1
    for channels, padding, pooled in READER_STAGES:
        layers.append(nn.Conv2d(in_channels, channels, 3, padding=padding, bias=not batch_norm))
        layers += [nn.MaxPool2d(2)] if pooled else []
        layers += [nn.BatchNorm2d(channels)] if batch_norm else []
        layers.append(nn.ReLU())
        in_channels = channels
    layers += [nn.Flatten(), nn.Dropout(0.3), nn.Linear(25 * in_channels, 10)]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def fastest(step: Callable[[], object], warm_up: int, repeats: int) -> float:
    """Seconds of the fastest of many calls."""
    for _ in range(warm_up):
        step()
    seconds = []
    for _ in range(repeats):
        start = perf_counter()
        step()
        seconds.append(perf_counter() - start)
    return min(seconds)


def classic_step() -> float:
    """Gradient descent on half the squared error."""
    network, x = classic(), torch.rand(BATCH, 784)
    targets = nn.functional.one_hot(torch.arange(BATCH) % 10, 10).float()
    return _step(network, x, lambda a: 0.5 * ((a - targets) ** 2).sum() / BATCH, torch.optim.SGD, 2000)


def reader_step() -> float:
    """AdamW on the cross-entropy of smoothed labels."""
    network, labels = reader(batch_norm=True), torch.arange(BATCH) % 10
    x = torch.rand(BATCH, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    loss = nn.CrossEntropyLoss(label_smoothing=0.05)
    return _step(network, x, lambda logits: loss(logits, labels), torch.optim.AdamW, 60)


def _step(network: Any, x: Any, loss: Callable[[Any], Any], optimizer_type: Any, repeats: int) -> float:
    """Forward, backward and update."""
    optimizer = optimizer_type(network.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        loss(network(x)).backward()
        optimizer.step()

    return fastest(step, 5, repeats)


def one_image() -> float:
    """Probabilities of one image, eager, without gradients."""
    network, x = reader(batch_norm=False).eval(), torch.rand(1, 1, 28, 28)
    with torch.inference_mode():
        return fastest(lambda: network(x).softmax(1), 50, IMAGES)


TASKS = {"classic-step": classic_step, "reader-step": reader_step, "reader-one-image": one_image}


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    sys.stdout.write(json.dumps({"seconds": TASKS[sys.argv[1]](), "version": torch.__version__}))
