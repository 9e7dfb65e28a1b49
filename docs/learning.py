"""Writes the picture and the tables of `learning.md` of what `digitbot bench learning --json` printed.

Call it as ``python docs/learning.py figures.json``.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from matplotlib.figure import Figure

Runs = Sequence[dict[str, Any]]

DOCUMENT = Path(__file__).with_suffix(".md")
PICTURE = Path(__file__).with_suffix(".png")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"

GOALS = {"teachers": 60.0, "newcomers": 50.0, "mnist": 0.05}
"""Percent of the error cut, and points of MNIST lost at most."""


def cut(who: str) -> Callable[[dict[str, Any]], float]:
    """Percent by which these people's error falls."""
    return lambda run: 100 * (1 - run[f"{who}_after"] / run[f"{who}_before"])


PANELS: tuple[tuple[str, str, Callable[[dict[str, Any]], float]], ...] = (
    ("teachers", "teachers' error cut by, %", cut("teachers")),
    ("newcomers", "newcomers' error cut by, %", cut("newcomers")),
    ("mnist", "points of MNIST lost", lambda run: run["mnist_drop"]),
)


def picture(runs: Runs) -> Figure:
    """A row for each scenario: a dot for each seed, a bar for their mean, the goal dashed."""
    scenarios = list(dict.fromkeys(run["scenario"] for run in runs))
    figure = Figure(figsize=(11, 0.42 * len(scenarios) + 1.2), layout="constrained")
    for axes, (name, title, value) in zip(figure.subplots(1, 3, sharey=True), PANELS, strict=True):
        for row, scenario in enumerate(scenarios):
            values = [value(run) for run in runs if run["scenario"] == scenario]
            axes.barh(row, mean(values), color="tab:blue", alpha=0.35)
            axes.plot(values, [row] * len(values), ".", color="tab:blue")
        axes.axvline(GOALS[name], color="gray", linestyle="--", linewidth=1)
        axes.set(title=title, yticks=range(len(scenarios)), yticklabels=scenarios)
    axes.invert_yaxis()
    return figure


def table(runs: Runs) -> str:
    """Means and standard deviations over the seeds, in Markdown."""
    rows = []
    for scenario in dict.fromkeys(run["scenario"] for run in runs):
        of_it = [run for run in runs if run["scenario"] == scenario]
        before, after = (mean(100 * run[f"teachers_{when}"] for run in of_it) for when in ("before", "after"))
        drops = [run["mnist_drop"] for run in of_it]
        rows.append(
            {
                "who teaches": scenario,
                "seeds": str(len(of_it)),
                "error on teachers' unseen glyphs": f"{before:.1f} to {after:.1f} %",
                "cut by": f"{_spread([cut('teachers')(run) for run in of_it])} %",
                "newcomers' cut by": f"{_spread([cut('newcomers')(run) for run in of_it])} %",
                "MNIST, points lost (most)": f"{_spread(drops, 3)} ({max(drops):+.2f})",
                "learned": f"{mean(run['trained'] for run in of_it):.0f}",
                "lies among them": f"{mean(run['lies_learned'] for run in of_it):.0f}",
                "honest ones held back": f"{_spread([100 * run['held_back'] for run in of_it])} %",
                "kept of the gain": f"{_spread(_kept(of_it, runs))} %",
                "published": f"{100 * mean(run['published'] for run in of_it):.0f} %",
                "least p of a digit": f"{min(run['worst_digit'] for run in of_it):.2g}",
            }
        )
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def gate_table(gate: dict[str, dict[str, int]]) -> str:
    """How many candidates of each kind the gate passed, in Markdown."""
    lines = ["| candidates | passed |", "| --- | --- |"]
    lines += [f"| {kind} | {rate['passed']} of {rate['asked']} |" for kind, rate in gate.items()]
    return "\n".join(lines)


def _kept(of_it: Runs, runs: Runs) -> list[float]:
    """Percent of the gain that the same honest people have with nothing held back and without lies."""
    is_larger = of_it[0]["scenario"].startswith("50")
    clean = "50 honest people, nothing held back for review" if is_larger else "35 honest people"
    gains = {run["seed"]: _gain(run) for run in runs if run["scenario"] == clean}
    return [100 * _gain(run) / gains[run["seed"]] for run in of_it if run["seed"] in gains]


def _gain(run: dict[str, Any]) -> float:
    return float(run["teachers_before"] - run["teachers_after"])


def _spread(values: Sequence[float], digits: int = 0) -> str:
    if not values:
        return "-"
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{deviation}"


def retraining_sentence(figures: dict[str, float]) -> str:
    """How long a retraining takes, and what photos feel of it."""
    return (
        f"A retraining with {figures['corrections']} corrections took {figures['seconds']:.0f} s from the "
        f"start of its process to the report card. 99 of 100 photos (1280x960, one after the other) were "
        f"answered within {figures['busy_milliseconds']:.0f} ms meanwhile ({figures['busy_photos']} photos), "
        f"within {figures['idle_milliseconds']:.0f} ms otherwise ({figures['idle_photos']})."
    )


def written(document: str, figures: dict[str, Any]) -> str:
    """The document with these figures between its two marks."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    parts = (
        f"![Error cut and points of MNIST lost, by scenario]({PICTURE.name})",
        table(figures["runs"]),
        gate_table(figures["gate"]),
        retraining_sentence(figures["retraining"]),
    )
    return before + "\n\n".join((BEGIN, *parts, END)) + after


def main() -> None:
    """Write the picture and the document."""
    figures = json.loads(Path(sys.argv[1]).read_text())["learning"]
    picture(figures["runs"]).savefig(PICTURE, dpi=110)
    DOCUMENT.write_text(written(DOCUMENT.read_text(), figures))


if __name__ == "__main__":
    main()
