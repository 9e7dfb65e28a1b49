"""Pictures of an evaluation, for people to look at."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from model.learning.evaluation import Evaluation

DIGITS = range(10)


def confusion(evaluation: Evaluation) -> Figure:
    """The confusion matrix; the shade shows mistakes only, or the diagonal would outshine them."""
    matrix = evaluation.confusion_matrix()
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(np.where(np.eye(10, dtype=bool), 0, matrix), cmap="Reds")
    for label in DIGITS:
        for digit in DIGITS:
            if matrix[label, digit]:
                axes.text(digit, label, f"{matrix[label, digit]}", ha="center", va="center", fontsize=8)
    axes.set(xticks=DIGITS, yticks=DIGITS, xlabel="read as", ylabel="written")
    axes.set_title(f"{evaluation.errors} of {len(evaluation.examples)} misread")
    return figure


def mistakes(evaluation: Evaluation, most_rows: int = 5, columns: int = 8) -> Figure:
    """The mistakes that the network was surest of, in as many rows as they need."""
    worst = evaluation.worst_mistakes(most_rows * columns)
    rows = max(1, math.ceil(len(worst) / columns))
    figure = Figure(figsize=(1.2 * columns, 1.5 * rows), layout="constrained")
    grid = figure.subplots(rows, columns).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, index in zip(grid, worst, strict=False):
        axes.imshow(evaluation.examples.images[index], cmap="gray_r", vmin=0, vmax=255)
        label, digit = evaluation.examples.labels[index], evaluation.digits[index]
        confidence = evaluation.probabilities[index, digit]
        axes.set_title(f"{label} read as {digit}\n{confidence:.0%} sure", fontsize=8)
    return figure


def per_digit(evaluation: Evaluation) -> Figure:
    """The share of each digit that was misread."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    bars = axes.bar(DIGITS, [100 * (1 - accuracy) for accuracy in evaluation.per_digit()], color="tab:red")
    axes.bar_label(bars, fmt="%.2f", fontsize=8)
    axes.set(xticks=DIGITS, xlabel="digit", ylabel="misread, %")
    return figure


def reliability(evaluation: Evaluation) -> Figure:
    """Accuracy against confidence: on the diagonal, "90 % sure" is right nine times of ten."""
    bins = evaluation.reliability()
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="gray", linestyle="--", label="calibrated")
    axes.plot([b.confidence for b in bins], [b.accuracy for b in bins], "o-", label="measured")
    for b in bins:
        axes.annotate(
            f"{b.count}", (b.confidence, b.accuracy), fontsize=7, xytext=(4, -8), textcoords="offset points"
        )
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set_title(f"mean distance {evaluation.calibration_error():.4f}")
    axes.legend()
    return figure


def learning_curve(history: Sequence[Mapping[str, float]]) -> Figure:
    """Loss and validation errors after each epoch, from the history in a checkpoint's metadata."""
    epochs = [result["epoch"] for result in history]
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(epochs, [result["training_loss"] for result in history], label="training loss")
    axes.plot(epochs, [result["validation_loss"] for result in history], label="validation loss")
    axes.set(xlabel="epoch", ylabel="loss", yscale="log")
    errors = axes.twinx()
    errors.plot(epochs, [result["validation_errors"] for result in history], "k.", label="validation errors")
    errors.set(ylabel="validation errors", yscale="log")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def robustness(accuracies: Mapping[str, float], strength: float) -> Figure:
    """The share that is misread under each transformation alone."""
    names = sorted(accuracies, key=lambda name: accuracies[name], reverse=True)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    misread = [100 * (1 - accuracies[name]) for name in names]
    bars = axes.barh([name.replace("_", " ") for name in names], misread, color="tab:red")
    axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
    axes.margins(x=0.08)
    axes.set(xlabel=f"misread at {strength:g} times the training strength, %")
    return figure
