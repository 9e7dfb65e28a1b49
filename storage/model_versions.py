"""Networks: where each comes from, what it learned from, and which one served when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import (
    CheckpointGoneError,
    VersionForgottenError,
    VersionNotFoundError,
    VersionRefusedError,
    VersionUnconsentedError,
)
from storage.insertion import insert_if_new
from storage.records import (
    Consent,
    JsonObject,
    ModelVersionRecord,
    NewModelVersion,
    Receipt,
    ServingRecord,
    VersionState,
)
from storage.tables import (
    CheckpointRow,
    ContributorRow,
    CorrectionRow,
    ModelVersionRow,
    PredictionRow,
    ServingRow,
    VersionCorrectionRow,
)

_HAS_CHECKPOINT = exists().where(CheckpointRow.sha256 == ModelVersionRow.sha256)


async def add(session: AsyncSession, new: NewModelVersion) -> ModelVersionRecord:
    """Store a network. One without a parent, which came as a file, is stored once for its content."""
    await _store_checkpoint(session, new)
    known = None if new.parent_id is not None else await _find_root(session, new.sha256)
    id_ = known or await insert_if_new(session, ModelVersionRow, _values_from(new))
    id_ = id_ or await _find_root(session, new.sha256)  # another process that starts was faster
    assert id_ is not None  # nothing else about a version is unique
    return await get(session, id_)


async def has_root(session: AsyncSession, sha256: str) -> bool:
    """Whether a network with this content has come as a file before."""
    return await _find_root(session, sha256) is not None


async def get(session: AsyncSession, version_id: int) -> ModelVersionRecord:
    """A version by its id.

    Raises:
        VersionNotFoundError: there is none.
    """
    found = (
        await session.execute(
            select(ModelVersionRow, _HAS_CHECKPOINT).where(ModelVersionRow.id == version_id)
        )
    ).one_or_none()
    if found is None:
        raise VersionNotFoundError(version_id)
    row, has_checkpoint = found
    return row.to_record(bool(has_checkpoint))


async def newest(session: AsyncSession, limit: int = 20) -> list[ModelVersionRecord]:
    """The newest versions, newest first."""
    found = await session.execute(
        select(ModelVersionRow, _HAS_CHECKPOINT).order_by(ModelVersionRow.id.desc()).limit(limit)
    )
    return [row.to_record(bool(has_checkpoint)) for row, has_checkpoint in found]


async def checkpoint_bytes(session: AsyncSession, version_id: int) -> bytes:
    """The safetensors file of a version.

    Raises:
        VersionNotFoundError: there is no such version.
        CheckpointGoneError: its bytes are not stored any more.
    """
    version = await get(session, version_id)
    data: bytes | None = await session.scalar(
        select(CheckpointRow.data).where(CheckpointRow.sha256 == version.sha256)
    )
    if data is None:
        raise CheckpointGoneError(version_id)
    return data


async def set_state(
    session: AsyncSession,
    version_id: int,
    state: VersionState,
    reason: str | None = None,
    metrics: JsonObject | None = None,
) -> ModelVersionRecord:
    """Store what the gate or an admin said of a version, and its report card where one is given.

    Raises:
        VersionNotFoundError: there is no such version.
    """
    row = await session.get(ModelVersionRow, version_id)
    if row is None:
        raise VersionNotFoundError(version_id)
    row.state, row.reason = state, reason
    if metrics is not None:
        row.metrics = dict(metrics)
    await session.flush()
    return await get(session, version_id)


async def promote(
    session: AsyncSession, version_id: int, by: int | None, now: datetime, how: str = "promotion"
) -> ServingRecord:
    """Let a version serve from now on; a rollback is the same, with an older one.

    The weights of versions that must not serve again go as soon as they are replaced; their rows stay.

    Args:
        session: of a writing transaction.
        version_id: what shall serve.
        by: a user's id, or None where no person did it.
        now: the time.
        how: the way it happened, for the timeline.

    Raises:
        VersionNotFoundError: there is no such version.
        VersionRefusedError: the gate refused it.
        VersionForgottenError: it learned from something that was erased since.
        VersionUnconsentedError: consent to what it learned from was withdrawn before it ever served.
        CheckpointGoneError: its weights are not stored any more.
    """
    version = await _locked(session, version_id)
    if version.is_forgotten:
        raise VersionForgottenError(version_id)
    if version.state is VersionState.REFUSED:
        raise VersionRefusedError(version_id)
    if await unconsented(session, [version_id]):
        raise VersionUnconsentedError(version_id)
    if not version.has_checkpoint:
        raise CheckpointGoneError(version_id)
    serving = ServingRow(version_id=version_id, started_at=now, promoted_by=by, how=how)
    session.add(serving)
    await session.execute(
        update(ModelVersionRow).where(ModelVersionRow.id == version_id).values(state=VersionState.PROMOTED)
    )
    await session.flush()
    await drop_forgotten_checkpoints(session)
    return serving.to_record(version.sha256)


async def current(session: AsyncSession) -> ServingRecord | None:
    """What serves now; None before anything has."""
    found = (await session.execute(_servings().limit(1))).one_or_none()
    return None if found is None else found[0].to_record(found[1])


async def previous(session: AsyncSession) -> ServingRecord | None:
    """What served last before the present version and may serve again; None where there is nothing."""
    now_serving = await current(session)
    if now_serving is None:
        return None
    found = (
        await session.execute(
            _servings()
            .where(
                ServingRow.version_id != now_serving.version_id,
                ModelVersionRow.forgotten_at.is_(None),
                _HAS_CHECKPOINT,
            )
            .limit(1)
        )
    ).one_or_none()
    return None if found is None else found[0].to_record(found[1])


async def timeline(session: AsyncSession, limit: int = 100) -> list[ServingRecord]:
    """What served when, newest first."""
    return [row.to_record(sha256) for row, sha256 in await session.execute(_servings().limit(limit))]


def _servings() -> Select[ServingRow, str]:
    return (
        select(ServingRow, ModelVersionRow.sha256)
        .join(ModelVersionRow, ModelVersionRow.id == ServingRow.version_id)
        .order_by(ServingRow.id.desc())
    )


async def record_learned(session: AsyncSession, version_id: int, correction_ids: Iterable[int]) -> None:
    """Store which corrections a version learned from.

    Raises:
        VersionNotFoundError: there is no such version.
        VersionUnconsentedError: consent to one of them was withdrawn. Leave the transaction by it.
    """
    await get(session, version_id)
    links = [{"version_id": version_id, "correction_id": id_} for id_ in sorted(set(correction_ids))]
    if links:
        await session.execute(insert(VersionCorrectionRow), links)
    if await unconsented(session, [version_id]):
        raise VersionUnconsentedError(version_id)


async def unconsented(session: AsyncSession, version_ids: Iterable[int]) -> set[int]:
    """Those of the versions that have never served and learned from a photo whose owner does not agree.

    One that has served may serve again: who withdraws is left out of the next training.
    """
    found = await session.scalars(
        select(ModelVersionRow.id)
        .join(VersionCorrectionRow, VersionCorrectionRow.version_id == ModelVersionRow.id)
        .join(CorrectionRow, CorrectionRow.id == VersionCorrectionRow.correction_id)
        .join(ContributorRow, ContributorRow.id == CorrectionRow.owner_id)
        .where(
            ModelVersionRow.id.in_(list(version_ids)),
            ModelVersionRow.state != VersionState.PROMOTED,
            ContributorRow.consent != Consent.GIVEN,
        )
        .distinct()
    )
    return set(found)


async def mark_forgotten(session: AsyncSession, erased: Select[int], now: datetime) -> tuple[int, ...]:
    """Mark the versions that learned from corrections about to be erased; ids of those not marked before.

    Versions made from a marked one as their parent are not marked: each training starts from shipped weights.
    A training that stores what it learned from them at this moment is waited for, or finds them erased.
    """
    await session.execute(erased.with_for_update())
    learned = select(VersionCorrectionRow.version_id).where(VersionCorrectionRow.correction_id.in_(erased))
    marked = list(
        await session.scalars(
            select(ModelVersionRow.id)
            .where(ModelVersionRow.id.in_(learned), ModelVersionRow.forgotten_at.is_(None))
            .order_by(ModelVersionRow.id)
        )
    )
    if marked:
        await session.execute(
            update(ModelVersionRow).where(ModelVersionRow.id.in_(marked)).values(forgotten_at=now)
        )
        await drop_forgotten_checkpoints(session)
    return tuple(marked)


async def drop_forgotten_checkpoints(session: AsyncSession) -> None:
    """Delete the weights that only marked versions have, save what serves at this moment."""
    serving = await current(session)
    needed = select(ModelVersionRow.sha256).where(ModelVersionRow.forgotten_at.is_(None))
    doomed = delete(CheckpointRow).where(CheckpointRow.sha256.not_in(needed))
    if serving is not None:
        doomed = doomed.where(CheckpointRow.sha256 != serving.sha256)
    await session.execute(doomed)


async def receipts_due(session: AsyncSession, version_id: int, bot_id: int) -> list[Receipt]:
    """What a version learned from whose authors want to be told of it by this bot and never were."""
    told = select(VersionCorrectionRow.correction_id).where(VersionCorrectionRow.receipt_at.is_not(None))
    found = await session.execute(
        select(ContributorRow, CorrectionRow, PredictionRow)
        .select_from(VersionCorrectionRow)
        .join(CorrectionRow, CorrectionRow.id == VersionCorrectionRow.correction_id)
        .join(ContributorRow, ContributorRow.id == CorrectionRow.contributor_id)
        .join(PredictionRow, PredictionRow.id == CorrectionRow.prediction_id)
        .where(
            VersionCorrectionRow.version_id == version_id,
            CorrectionRow.id.not_in(told),
            ContributorRow.bot_id == bot_id,
            ContributorRow.wants_receipts,
            CorrectionRow.is_current,
        )
        .order_by(ContributorRow.id, CorrectionRow.id)
    )
    return [
        Receipt(contributor.to_record(), correction.to_record(), prediction.to_record())
        for contributor, correction, prediction in found
    ]


async def mark_receipted(
    session: AsyncSession, version_id: int, correction_ids: Iterable[int], now: datetime
) -> None:
    """Remember that authors were told that these corrections of theirs have helped a version."""
    await session.execute(
        update(VersionCorrectionRow)
        .where(
            VersionCorrectionRow.version_id == version_id,
            VersionCorrectionRow.correction_id.in_(list(correction_ids)),
        )
        .values(receipt_at=now)
    )


async def _locked(session: AsyncSession, version_id: int) -> ModelVersionRecord:
    """A version of which nobody is forgotten between what is asked of it and the end of the transaction."""
    lock = {"key_share": True}
    await session.get(ModelVersionRow, version_id, with_for_update=lock, populate_existing=True)
    return await get(session, version_id)


async def _find_root(session: AsyncSession, sha256: str) -> int | None:
    """The id of the version that came as a file with this content."""
    found: int | None = await session.scalar(
        select(ModelVersionRow.id).where(
            ModelVersionRow.sha256 == sha256, ModelVersionRow.parent_id.is_(None)
        )
    )
    return found


async def _store_checkpoint(session: AsyncSession, new: NewModelVersion) -> None:
    if not await session.scalar(select(exists().where(CheckpointRow.sha256 == new.sha256))):
        await insert_if_new(session, CheckpointRow, {"sha256": new.sha256, "data": new.checkpoint})


def _values_from(new: NewModelVersion) -> dict[str, Any]:
    return {
        "sha256": new.sha256,
        "architecture": new.architecture,
        "trigger": new.trigger,
        "created_at": new.created_at,
        "parent_id": new.parent_id,
        "data": dict(new.data),
        "metrics": dict(new.metrics),
        "state": new.state,
        "reason": new.reason,
    }
