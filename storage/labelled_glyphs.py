"""The glyphs that corrections label: which may train, drawn for a training, or exported."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.encryption import Keyring
from storage.records import Consent, CorrectionState, Decision, LabelledGlyph
from storage.tables import ContributorRow, CorrectionRow, GlyphRow, PredictionRow

_SCANNED = 5000
"""Rows looked at in one query while a training set is drawn."""

_LOADED = 500
"""Corrections whose glyphs are loaded in one query."""

_LARGEST = 2**63 - 1
"""No draw key is larger."""

TRAINABLE = (CorrectionState.PENDING, CorrectionState.ACCEPTED, CorrectionState.QUARANTINED)


async def count_new_since(
    session: AsyncSession, since: datetime | None, *, consent_version: int | None = None
) -> int:
    """How many corrections may train that could not before a moment (None: ever).

    They were made, passed a review, or were consented to after it, by people who agreed to the text of this
    version or a newer one.
    """
    query = (
        select(func.count())
        .select_from(CorrectionRow)
        .where(
            CorrectionRow.is_current,
            CorrectionRow.labels_glyphs,
            CorrectionRow.state == CorrectionState.ACCEPTED,
            is_consented(consent_version),
        )
    )
    if since is not None:
        agreed = and_(ContributorRow.id == CorrectionRow.owner_id, ContributorRow.consent_at > since)
        query = query.where(
            or_(CorrectionRow.created_at > since, CorrectionRow.decided_at > since, exists().where(agreed))
        )
    return await session.scalar(query) or 0


async def unscreened(
    session: AsyncSession, keyring: Keyring, limit: int = 100, *, consent_version: int | None = None
) -> list[LabelledGlyph]:
    """The glyphs of the corrections that wait to be screened, oldest first, still encrypted.

    Args:
        session: of a reading transaction.
        keyring: what is under none of its keys waits in vain, and holds nothing else up.
        limit: corrections; each may label several glyphs.
        consent_version: only photos of people who agreed to this text or a newer one.
    """
    ids = await session.scalars(
        select(CorrectionRow.id)
        .where(
            CorrectionRow.is_current,
            CorrectionRow.labels_glyphs,
            CorrectionRow.state == CorrectionState.PENDING,
            is_consented(consent_version),
            exists().where(
                GlyphRow.prediction_id == CorrectionRow.prediction_id, GlyphRow.key_id.in_(keyring.key_ids)
            ),
        )
        .order_by(CorrectionRow.created_at, CorrectionRow.id)
        .limit(limit)
    )
    return await _labelled(session, list(ids))


async def draw(
    session: AsyncSession,
    *,
    seed: int,
    maximum: int,
    states: Sequence[CorrectionState] = TRAINABLE,
    per_person_and_day: int | None = None,
    consent_version: int | None = None,
) -> list[LabelledGlyph]:
    """At most ``maximum`` glyphs that may train, still encrypted, in an even order that the seed chooses.

    They are drawn along an index over digests of the corrections, from a place that the seed names, so a
    draw costs what it takes and not what there is; and as no row number matters, the draw after somebody was
    forgotten is the draw of a database that never knew them. An admin's label wins over the owner's.

    Args:
        session: of a reading transaction.
        seed: another one, another order.
        maximum: glyphs; one correction may label several.
        states: corrections in these states; never those that were rejected or withdrawn by a person.
        per_person_and_day: corrections of one person on one day (UTC) in the draw.
        consent_version: only photos of people who agreed to this text or a newer one.
    """
    chosen: list[int] = []
    glyphs = 0
    taken: Counter[tuple[int, str]] = Counter()
    async for correction_id, contributor_id, day, labels in _scan(session, seed, states, consent_version):
        taken[contributor_id, day] += 1
        if per_person_and_day is not None and taken[contributor_id, day] > per_person_and_day:
            continue
        if glyphs + labels > maximum:
            break
        chosen.append(correction_id)
        glyphs += labels
    return await _labelled(session, chosen)


async def export(
    session: AsyncSession, *, consent_version: int | None = None
) -> AsyncIterator[LabelledGlyph]:
    """Every accepted glyph whose owner consented, still encrypted, a few in memory, ordered as `draw` is."""
    ids: list[int] = []
    async for correction_id, *_ in _scan(session, 0, (CorrectionState.ACCEPTED,), consent_version):
        ids.append(correction_id)
        if len(ids) == _LOADED:
            for glyph in await _labelled(session, ids):
                yield glyph
            session.expunge_all()
            ids = []
    for glyph in await _labelled(session, ids):
        yield glyph


def is_consented(version: int | None = None) -> ColumnElement[bool]:
    """The person whose photo it is agreed (to this text or a newer one)."""
    agreed = and_(ContributorRow.id == CorrectionRow.owner_id, ContributorRow.consent == Consent.GIVEN)
    if version is not None:
        agreed = and_(agreed, ContributorRow.consent_version >= version)
    return exists().where(agreed)


def draw_key(prediction: PredictionRow, contributor: ContributorRow, digits: str) -> int:
    """Where a correction stands in the even order of draws: looks random, and depends on no row number."""
    parts = (
        prediction.bot_id,
        prediction.chat_id,
        prediction.message_id,
        prediction.file_unique_id,
        contributor.user_id,
        digits,
    )
    return _digest(" ".join(map(str, parts)))


async def _scan(
    session: AsyncSession,
    seed: int,
    states: Sequence[CorrectionState],
    consent_version: int | None,
) -> AsyncIterator[tuple[int, int, str, int]]:
    """(id, contributor, day, glyphs) of what may train, once around the circle of draw keys."""
    start = _digest(f"draw {seed}")
    for first, last in ((start, _LARGEST), (0, start - 1)):
        after = (first, -1)
        while True:
            rows = list(await session.execute(_page(after, last, states, consent_version)))
            for row in rows:
                yield row.id, row.contributor_id, row.created_at.date().isoformat(), row.length
            if len(rows) < _SCANNED:
                break
            after = (rows[-1].draw_key, rows[-1].id)


def _page(
    after: tuple[int, int], last: int, states: Sequence[CorrectionState], consent_version: int | None
) -> Select[int, int, int, datetime, int]:
    """The next rows of a scan, straight from the index of what may train."""
    return (
        select(
            CorrectionRow.id,
            CorrectionRow.draw_key,
            CorrectionRow.contributor_id,
            CorrectionRow.created_at,
            func.length(func.replace(CorrectionRow.digits, "\n", "")).label("length"),
        )
        .where(
            CorrectionRow.is_current,
            CorrectionRow.labels_glyphs,
            tuple_(CorrectionRow.draw_key, CorrectionRow.id) > tuple_(*after),
            CorrectionRow.draw_key <= last,
            # coalesced, so that no planner prefers the index over states and a sort
            func.coalesce(CorrectionRow.state, "").in_([state for state in states if state in TRAINABLE]),
            is_consented(consent_version),
            ~_is_overruled(),
        )
        .order_by(CorrectionRow.draw_key, CorrectionRow.id)
        .limit(_SCANNED)
    )


async def _labelled(session: AsyncSession, correction_ids: Sequence[int]) -> list[LabelledGlyph]:
    """The glyphs that corrections label, in the order of the ids, without those whose pixels are gone."""
    glyphs: list[LabelledGlyph] = []
    for start in range(0, len(correction_ids), _LOADED):
        ids = correction_ids[start : start + _LOADED]
        found = await session.execute(
            select(CorrectionRow, GlyphRow)
            .join(GlyphRow, GlyphRow.prediction_id == CorrectionRow.prediction_id)
            .where(CorrectionRow.id.in_(ids), GlyphRow.token.is_not(None))
        )
        place = {id_: index for index, id_ in enumerate(ids)}
        pairs = sorted(found, key=lambda pair: (place[pair[0].id], pair[1].position))
        glyphs += [_labelled_glyph(correction, glyph) for correction, glyph in pairs]
    return glyphs


def _labelled_glyph(correction: CorrectionRow, glyph: GlyphRow) -> LabelledGlyph:
    assert glyph.sealed is not None  # selected so
    return LabelledGlyph(
        glyph_id=glyph.id,
        correction_id=correction.id,
        prediction_id=correction.prediction_id,
        contributor_id=correction.contributor_id,
        owner_id=correction.owner_id,
        position=glyph.position,
        label=correction.to_record().labels[glyph.position],
        sealed=glyph.sealed,
        state=correction.state,
        reason=correction.reason,
        is_trusted=correction.by_admin or correction.decision is Decision.ACCEPTED,
        created_at=correction.created_at,
        probabilities=glyph.probabilities,
        screened_by=glyph.screened_by,
        screened_digit=glyph.screened_digit,
        screened_confidence=glyph.screened_confidence,
    )


def _is_overruled() -> ColumnElement[bool]:
    """Somebody else's correction of the same prediction counts: an admin's, or a newer one."""
    other = aliased(CorrectionRow)
    wins = or_(
        other.by_admin & ~CorrectionRow.by_admin,
        (other.by_admin == CorrectionRow.by_admin) & (other.id > CorrectionRow.id),
    )
    return exists().where(
        other.prediction_id == CorrectionRow.prediction_id,
        other.is_current,
        other.state != CorrectionState.REJECTED,
        wins,
    )


def _digest(text: str) -> int:
    """63 bits that look random."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
