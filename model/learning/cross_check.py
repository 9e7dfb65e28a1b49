"""The cross-check of contributors: who disagrees with what others teach in nearly everything goes to review.

People are cut into two halves. Each half teaches a last layer on what the shipped network makes of a glyph,
and what that layer reads in the glyphs of the other half is compared with what those people said. Honest
people have unlike hands and write like digits, so they agree often; who labels at random agrees about one
time in ten. People who lie in
the same way agree with one another: against those there are the caps and the gate.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from model.learning.selection import Limits, Selection, TaughtGlyph, is_doubtful, select, to_examples
from model.nn.layer import Array
from model.nn.losses import one_hot, softmax
from model.nn.network import Network


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """How it is done.

    Attributes:
        least_agreement: share of a person's glyphs on which the others must agree.
        least_glyphs: who taught fewer is not judged.
        least_people: with fewer who can be judged there is no majority.
        steps, learning_rate, bias_rate: of gradient descent on the last layer, whose inputs have length 1.
        hold: how strongly its weights are drawn to 0.
    """

    least_agreement: float = 0.15
    least_glyphs: int = 10
    least_people: int = 6
    steps: int = 300
    learning_rate: float = 10.0
    bias_rate: float = 0.5
    hold: float = 0.001


def choose(
    glyphs: Sequence[TaughtGlyph], network: Network, limits: Limits, settings: CrossCheck
) -> Selection:
    """`select` with the cross-check, which is done among the glyphs that pass the quarantine by confidence.

    Args:
        glyphs: as `select` takes them.
        network: the shipped one.
        limits: see `Limits`.
        settings: see `CrossCheck`.
    """
    believable = [
        glyph
        for glyph in glyphs
        if not is_doubtful(glyph.shipped_digit, glyph.shipped_confidence, glyph.label, limits)
    ]
    return select(glyphs, limits, distrusted(believable, network, settings))


def agreements(
    glyphs: Sequence[TaughtGlyph], network: Network, settings: CrossCheck
) -> dict[Hashable, float]:
    """The share of each person's glyphs on which the other half of the people agree with them, 0..1.

    A person is known by the smallest digest among their glyphs, so no number of a row decides who is in which
    half.
    """
    people: dict[Hashable, list[TaughtGlyph]] = defaultdict(list)
    for glyph in glyphs:
        people[glyph.contributor].append(glyph)
    judged = [who for who, theirs in people.items() if len(theirs) >= settings.least_glyphs]
    if len(judged) < settings.least_people:
        return {}
    judged.sort(key=lambda who: hashlib.sha256(min(glyph.digest for glyph in people[who])).digest())
    halves = judged[::2], judged[1::2]
    found: dict[Hashable, float] = {}
    for teachers, pupils in (halves, halves[::-1]):
        taught = sorted((glyph for who in teachers for glyph in people[who]), key=lambda glyph: glyph.digest)
        weight, bias = _taught_layer(taught, network, settings)
        for who in pupils:
            said = to_examples(people[who])
            logits = _features(network, said.pixels) @ weight + bias
            found[who] = float((logits.argmax(axis=1) == said.labels).mean())
    return found


def distrusted(glyphs: Sequence[TaughtGlyph], network: Network, settings: CrossCheck) -> frozenset[Hashable]:
    """The people whose glyphs go to review."""
    found = agreements(glyphs, network, settings)
    return frozenset(who for who, share in found.items() if share < settings.least_agreement)


def _features(network: Network, pixels: Array) -> Array:
    """(N, 784) -> (N, D), one glyph at a time, so that company changes no bit; each row has length 1."""
    rows: Array = np.concatenate([network.features(row[None]) for row in pixels])
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9))
    return rows


def _taught_layer(
    taught: Sequence[TaughtGlyph], network: Network, settings: CrossCheck
) -> tuple[Array, Array]:
    """Weight (D, 10) and bias (10,) of a last layer that starts at 0 and learns what these people taught."""
    examples = to_examples(taught)
    features = _features(network, examples.pixels)
    targets = one_hot(examples.labels)
    weight, bias = np.zeros((features.shape[1], 10), np.float32), np.zeros(10, np.float32)
    for _ in range(settings.steps):
        difference = (softmax(features @ weight + bias) - targets) / np.float32(len(features))
        weight -= settings.learning_rate * (features.T @ difference + settings.hold * weight)
        bias -= settings.bias_rate * difference.sum(axis=0)
    return weight, bias
