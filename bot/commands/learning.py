"""The commands of learning: retrain, models, rollback, replay, export."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot import app
from bot.app import Core
from bot.commands import LARGEST_ID
from bot.config import Config
from bot.errors import BotError, NothingToLearnError
from bot.services.learning import LearningService
from bot.services.versions import Version
from model.learning.gate import Reason
from storage.records import RunState

Result = TypeVar("Result")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line and nothing else.")]


class TrainingFailedError(BotError):
    """The training ended without a candidate; the message says why."""


def retrain(context: typer.Context) -> None:
    """Learn from the accepted corrections; a candidate that passes the gate waits for `digitbot promote`."""
    version = _with_core(context, _retrain)
    typer.echo(_outcome(version))


def promote(
    context: typer.Context,
    version: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="As `models` shows it.")],
) -> None:
    """Let a model version serve; every running digitbot that shares the database follows within seconds."""
    serving = _with_core(context, lambda core: core.services.learning.promote(version, None))
    typer.echo(f"version {serving.id} serves")


def rollback(
    context: typer.Context,
    version: Annotated[
        int, typer.Argument(min=1, max=LARGEST_ID, help="A version that has served, as `models` shows it.")
    ],
) -> None:
    """Let a model version serve again that did before."""
    serving = _with_core(context, lambda core: core.services.learning.roll_back(None, version))
    typer.echo(f"version {serving.id} serves")


def models(context: typer.Context, as_json: Json = False) -> None:
    """Show the timeline of model versions: where each comes from, how good it is, when it served."""
    versions = _with_core(context, lambda core: core.services.learning.versions(limit=100))
    if as_json:
        for version in versions:
            typer.echo(json.dumps(_as_dict(version)))
        return
    table = Table("version", "made", "from", "corrections", "plain", "verdict", "served")
    for version in versions:
        table.add_row(*_as_row(version))
    Console().print(table)


def replay(
    context: typer.Context,
    prediction: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="Id of a stored reading.")],
) -> None:
    """Compute a stored reading again; on the machine that made it every bit must agree."""
    repeated = _with_core(context, lambda core: core.services.replays.replay(prediction))
    where = "the same machine" if repeated.is_same_machine else "another machine or other libraries"
    if repeated.is_exact:
        typer.echo(f"prediction {prediction}, version {repeated.version_id}: exact, on {where}")
        return
    typer.echo(
        f"prediction {prediction}, version {repeated.version_id}: differs by up to "
        f"{repeated.largest_difference:.3g}, on {where}"
    )
    if repeated.is_same_machine:
        raise typer.Exit(1)


def export(context: typer.Context, folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Write accepted corrections that may be used, as idx.gz files that load as MNIST does, and a CSV."""
    glyphs = _with_core(context, lambda core: core.services.replays.export(folder))
    typer.echo(f"{glyphs} glyphs written to {folder}")


def _with_core(context: typer.Context, work: Callable[[Core], Awaitable[Result]]) -> Result:
    config: Config = context.obj()

    async def run() -> Result:
        async with app.opened(config) as core:
            return await work(core)

    return asyncio.run(run())


async def _retrain(core: Core) -> Version:
    learning = core.services.learning
    try:
        run_id = await learning.retrain()
    except NothingToLearnError as exc:
        raise TrainingFailedError("there are no corrections that may train") from exc
    return await _watch(learning, run_id)


async def _watch(learning: LearningService, run_id: int) -> Version:
    """Show progress on stderr until the run is over: a bar on a terminal, else a line for each stage."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    shown = ""
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        async for progress in learning.watch(run_id):
            bar.update(task, completed=progress.done, description=progress.stage)
            if not console.is_terminal and progress.stage != shown:
                console.print(progress.stage)
            shown = progress.stage
    if progress.state is RunState.FAILED:
        raise TrainingFailedError(progress.error or "the training failed")
    if progress.state is RunState.CANCELLED:
        raise TrainingFailedError("the training was cancelled")
    if progress.version_id is None:
        raise TrainingFailedError("every correction waits for review, so there is nothing to learn")
    return await learning.version(progress.version_id)


def _outcome(version: Version) -> str:
    assert version.card is not None  # it comes from a training
    assert version.verdict is not None  # so does this
    effect = version.card.trained
    learned = (
        f"{effect.candidate} of {effect.glyphs} corrections are read as taught ({effect.champion} before)"
    )
    if not version.verdict.passed:
        reasons = "; ".join(_reason(reason) for reason in version.verdict.reasons)
        return f"version {version.id} is refused by the gate: {reasons}; {learned}"
    state = "serves" if version.is_serving else f"waits for: digitbot promote {version.id}"
    return f"version {version.id} passed the gate and {state}; {learned}"


def _reason(reason: Reason) -> str:
    where = "" if reason.holdout is None else f" on {reason.holdout} pictures against the {reason.opponent}"
    digit = "" if reason.digit is None else f" in digit {reason.digit}"
    return f"{reason.fault.value}{digit}{where} ({reason.measured:.4g})"


def _as_row(version: Version) -> tuple[str, ...]:
    record = version.record
    served = "\n".join(
        f"{service.since:%Y-%m-%d %H:%M} {service.how}" + ("" if service.until else " (now)")
        for service in version.services
    )
    return (
        str(version.id) + (" (forgotten)" if record.is_forgotten else ""),
        f"{record.created_at:%Y-%m-%d %H:%M}",
        record.trigger,
        str(record.data.get("corrections", "")),
        _accuracy(version),
        record.reason or record.state.value,
        served,
    )


def _accuracy(version: Version) -> str:
    """Right among the plain held-out digits."""
    if version.card is None or not version.card.holdouts:
        return ""
    plain = version.card.holdouts[0]
    return f"{plain.candidate.right / plain.pictures:.2%}"


def _as_dict(version: Version) -> dict[str, object]:
    record = version.record
    return {
        "version": version.id,
        "sha256": record.sha256,
        "created_at": record.created_at.isoformat(),
        "parent": record.parent_id,
        "trigger": record.trigger,
        "state": record.state.value,
        "reason": record.reason,
        "is_serving": version.is_serving,
        "is_forgotten": record.is_forgotten,
        "data": dict(record.data),
        "served": [
            {
                "since": service.since.isoformat(),
                "until": None if service.until is None else service.until.isoformat(),
                "by": service.by,
                "how": service.how,
            }
            for service in version.services
        ],
    }
