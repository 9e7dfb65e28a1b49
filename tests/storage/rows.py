"""Rows for tests, made through the functions under test."""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from storage import contributors, corrections, model_versions, predictions
from storage.encryption import Keyring
from storage.records import (
    Box,
    Consent,
    ContributorRecord,
    CorrectionRecord,
    CorrectionState,
    ModelVersionRecord,
    NewCorrection,
    NewGlyph,
    NewModelVersion,
    NewPrediction,
    PredictionRecord,
)

NOW = datetime(2026, 11, 24, 12, 30, 15, 123456, tzinfo=UTC)
BOT, CHAT, ANNA, BERT = 7_000_000_001, -1_002_000_000_003, 5_300_000_001, 5_300_000_002


def later(**by: float) -> datetime:
    return NOW + timedelta(**by)


def pixels(number: int) -> bytes:
    """784 bytes that no other number has."""
    return hashlib.shake_256(str(number).encode()).digest(784)


async def person(
    session: AsyncSession, user_id: int = ANNA, consent: Consent = Consent.NOT_ASKED
) -> ContributorRecord:
    who = await contributors.get_or_create(session, BOT, user_id, NOW)
    if consent is not Consent.NOT_ASKED:
        who = await contributors.set_consent(session, who.id, consent, 1, NOW)
    return who


async def version(
    session: AsyncSession, content: bytes = b"shipped", parent_id: int | None = None
) -> ModelVersionRecord:
    return await model_versions.add(session, new_version(content, parent_id))


def new_version(content: bytes = b"shipped", parent_id: int | None = None) -> NewModelVersion:
    return NewModelVersion(
        sha256=hashlib.sha256(content).hexdigest(),
        checkpoint=content,
        architecture="reader",
        trigger="shipped" if parent_id is None else "command",
        created_at=NOW,
        parent_id=parent_id,
        data={"corrections": 3},
        metrics={"accuracy": 0.9969},
    )


async def prediction(
    session: AsyncSession,
    keyring: Keyring,
    owner: ContributorRecord,
    message_id: int = 10,
    digits: str = "1",
    *,
    file: str = "file",
    created_at: datetime = NOW,
) -> PredictionRecord:
    served = await version(session)
    return await predictions.save(
        session,
        new_prediction(keyring, owner.id, served.id, message_id, digits, file=file, created_at=created_at),
    )


def new_prediction(
    keyring: Keyring,
    owner_id: int,
    version_id: int,
    message_id: int = 10,
    digits: str = "1",
    *,
    file: str = "file",
    created_at: datetime = NOW,
) -> NewPrediction:
    return NewPrediction(
        bot_id=BOT,
        chat_id=CHAT,
        message_id=message_id,
        file_unique_id=file,
        contributor_id=owner_id,
        model_version_id=version_id,
        preprocessing_version=1,
        digits=digits,
        confidence=0.62,
        glyphs=tuple(
            NewGlyph(
                line=0,
                box=Box(20 * position, 5, 20 * position + 18, 40),
                probabilities=tuple(0.62 if digit == int(said) else 0.38 / 9 for digit in range(10)),
                sealed=keyring.seal(pixels(100 * message_id + position)),
            )
            for position, said in enumerate(digits)
        ),
        created_at=created_at,
        environment={"numpy": "2.3"},
    )


async def correction(
    session: AsyncSession,
    shown: PredictionRecord,
    digits: str = "7",
    *,
    by: int | None = None,
    created_at: datetime = NOW,
    state: CorrectionState = CorrectionState.PENDING,
    by_admin: bool = False,
) -> CorrectionRecord:
    return await corrections.save(
        session,
        NewCorrection(
            prediction_id=shown.id,
            contributor_id=shown.contributor_id if by is None else by,
            digits=digits,
            created_at=created_at,
            state=state,
            by_admin=by_admin,
        ),
    )
