"""How sure the reader may be of hands that are not MNIST's: its confidence, made true for who corrects it.

The temperature that calibrates a reader is fitted to MNIST, and in unusual hands it is far oftener wrong
than it says. Corrections come from there: were its "95 % sure" taken at its word, a third of the honest ones
would wait for review. So what it says is calibrated once more, on held-out digits in those random hands
(others than the gate's) that it errs in, and what screening compares with its threshold is how often a
reading as sure as this one is right there.

`digitbot train` writes it into the checkpoint's metadata; for a checkpoint without it there is
``python -m model.learning.sureness data/mnist model/weights/reader.safetensors``.
"""

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from model.learning import mnist
from model.learning.examples import Examples
from model.learning.styles import Style
from model.nn import checkpoint
from model.nn.losses import softmax
from model.nn.network import Network

KEY = "sureness"
"""Of the metadata."""
SEED = 95
"""Of the hands; the gate's are others."""
LEAST_DOUBT = 1e-7
"""Confidences are float32: nearer to 1 than this there is none but 1."""
NEWTON_STEPS = 30
HANDS, WRITTEN = 300, 40
"""Random hands, and how many digits each of them writes."""
LEAST_ERROR = 0.08
"""Who is misread more rarely in the first half of what they write has little to correct."""


@dataclass(frozen=True, slots=True)
class Sureness:
    """``p(right) = sigmoid(slope * log-odds of the confidence + offset)``; as it is, the confidence itself.

    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines, eq. 1, on log-odds.
    """

    slope: float = 1.0
    offset: float = 0.0

    def of(self, confidence: float) -> float:
        """How often a reading with this confidence is right in unusual hands, 0..1."""
        return 1 / (1 + math.exp(-(self.slope * float(_log_odds(np.array(confidence))) + self.offset)))

    @classmethod
    def fit(cls, confidences: NDArray[np.floating], is_right: NDArray[np.bool_]) -> Self:
        """The likeliest slope and offset for (N,) readings, of which these were right.

        Targets are those of Platt 1999, section 2.2, which keep the answer finite where all are right;
        Newton's method, halved where it would overshoot (Lin, Lin & Weng 2007).
        """
        features = np.stack([_log_odds(confidences), np.ones(len(confidences))], axis=1)  # (N, 2)
        right, wrong = int(is_right.sum()), int((~is_right).sum())
        targets = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))

        def cost(weights: NDArray[np.float64]) -> float:
            logits = features @ weights
            return float((np.logaddexp(0, logits) - targets * logits).sum())

        weights = np.zeros(2)
        for _ in range(NEWTON_STEPS):
            p = 1 / (1 + np.exp(-features @ weights))
            curvature = (features * (p * (1 - p))[:, None]).T @ features + 1e-9 * np.eye(2)
            step = np.linalg.solve(curvature, features.T @ (p - targets))
            while cost(weights - step) > cost(weights) and np.abs(step).max() > 1e-9:
                step /= 2
            weights = weights - step
        return cls(float(weights[0]), float(weights[1]))

    @classmethod
    def of_checkpoint(cls, metadata: Mapping[str, str]) -> Self:
        """As the metadata of a checkpoint says; the confidence itself where it says nothing."""
        return cls(**json.loads(metadata[KEY])) if KEY in metadata else cls()

    def to_metadata(self) -> dict[str, str]:
        """What `of_checkpoint` reads."""
        rounded = {name: round(value, 4) for name, value in asdict(self).items()}
        return {KEY: json.dumps(rounded)}


def in_random_hands(held_out: Examples) -> Examples:
    """What `measure` takes: digits among these that each of the hands wrote, one hand after the other."""
    written = []
    for hand in range(HANDS):
        rng = np.random.default_rng((SEED, hand))
        style = Style.random(rng)
        chosen = held_out.take(rng.integers(len(held_out), size=WRITTEN))
        written.append(Examples(style.write_all(chosen.images, chosen.labels), chosen.labels))
    return Examples.concatenate(written)


def measure(network: Network, temperature: float, written: Examples) -> Sureness:
    """The sureness of a network in the hands that it errs in; in all of them where it errs in none."""
    pixels = written.pixels
    logits = np.concatenate([network.logits(part) for part in np.array_split(pixels, len(pixels) // 256 + 1)])
    probabilities = softmax(logits / np.float32(temperature))
    confidences = probabilities.max(axis=1).reshape(-1, WRITTEN)
    is_right = (probabilities.argmax(axis=1) == written.labels).reshape(-1, WRITTEN)
    half = WRITTEN // 2
    errs = (~is_right[:, :half]).mean(axis=1) >= LEAST_ERROR
    chosen = errs if errs.any() else ~errs
    return Sureness.fit(confidences[chosen, half:].ravel(), is_right[chosen, half:].ravel())


def _log_odds(confidences: NDArray[Any]) -> NDArray[np.float64]:
    """(N,) confidences 0..1 to log(p / (1 - p)), finite."""
    p = np.clip(confidences.astype(np.float64), LEAST_DOUBT, 1 - LEAST_DOUBT)
    return np.asarray(np.log(p) - np.log1p(-p), np.float64)


def main() -> None:
    """Write the sureness into a checkpoint that has none, or an old one."""
    parser = argparse.ArgumentParser(description="Measure how sure a reader may be, and write it into it.")
    parser.add_argument("mnist", type=Path, help="folder of MNIST")
    parser.add_argument("checkpoint", type=Path, help="the checkpoint to write it into")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    found = checkpoint.load_file(arguments.checkpoint)
    temperature = float(found.metadata.get("temperature", 1))
    written = in_random_hands(mnist.load(arguments.mnist).validation)
    sureness = measure(found.network, temperature, written)
    metadata = {**found.metadata, **sureness.to_metadata()}
    arguments.checkpoint.write_bytes(checkpoint.save(found.network, metadata))


if __name__ == "__main__":
    main()
