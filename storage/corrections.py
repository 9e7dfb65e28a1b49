"""What people say that predictions show: history, states, review, and what may train."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.encryption import Keyring
from storage.errors import (
    ContributorNotFoundError,
    CorrectionNotCountingError,
    CorrectionNotFoundError,
    PredictionNotFoundError,
)
from storage.records import (
    Consent,
    CorrectionReason,
    CorrectionRecord,
    CorrectionState,
    Decision,
    LabelledGlyph,
    NewCorrection,
    ReviewItem,
    StateChange,
)
from storage.tables import ContributorRow, CorrectionRow, GlyphRow, PredictionRow

_SCANNED = 5000
"""Rows looked at in one query while a training set is drawn."""

_LOADED = 500
"""Corrections whose glyphs are loaded in one query."""

_LARGEST = 2**63 - 1
"""No draw key is larger."""

_TRAINABLE = (CorrectionState.PENDING, CorrectionState.ACCEPTED, CorrectionState.QUARANTINED)


async def save(session: AsyncSession, new: NewCorrection) -> CorrectionRecord:
    """Store what a person says a prediction shows; the newest one counts, older ones stay as history.

    Saying the same again changes nothing. Another number of digits than glyphs is a note on segmentation: it
    is kept as history, trains nothing, and what was said before it goes on counting. Flushes and never
    commits: the caller owns the transaction.

    Raises:
        PredictionNotFoundError: no prediction has this id.
        ContributorNotFoundError: no contributor has this id.
    """
    prediction = await session.get(PredictionRow, new.prediction_id, with_for_update=True)
    if prediction is None:
        raise PredictionNotFoundError(new.prediction_id)
    contributor = await session.get(ContributorRow, new.contributor_id)
    if contributor is None:
        raise ContributorNotFoundError(new.contributor_id)
    said = await _said(session, new.prediction_id, new.contributor_id)
    if said and said[0].digits == new.digits:
        return said[0].to_record()
    counts = not _is_note(new.digits, prediction)
    for replaced in said if counts else ():
        replaced.is_current = False
    await session.flush()
    labels_glyphs = _labels_each_glyph(new.digits, prediction)
    row = CorrectionRow(
        prediction_id=new.prediction_id,
        contributor_id=new.contributor_id,
        owner_id=prediction.contributor_id,
        digits=new.digits,
        labels_glyphs=labels_glyphs,
        by_admin=new.by_admin,
        state=new.state,
        reason=new.reason or _hindrance(labels_glyphs, prediction),
        is_current=counts,
        draw_key=_draw_key(prediction, contributor, new.digits),
        created_at=new.created_at,
    )
    session.add(row)
    await session.flush()
    return row.to_record()


async def undo(session: AsyncSession, correction_id: int, now: datetime) -> CorrectionRecord:
    """Take back a correction; what the same person said before it, if anything, counts again.

    Raises:
        CorrectionNotFoundError: no correction has this id.
    """
    row = await _get_row(session, correction_id)
    prediction = await session.get(PredictionRow, row.prediction_id, with_for_update=True)  # as `save` does
    if prediction is None:
        raise CorrectionNotFoundError(correction_id)
    await session.refresh(row)
    was_current = row.is_current
    row.is_current, row.undone_at = False, now
    row.state, row.reason = CorrectionState.WITHDRAWN, CorrectionReason.UNDONE
    await session.flush()
    if was_current:
        said = await _said(session, row.prediction_id, row.contributor_id)
        before = next((one for one in said if not _is_note(one.digits, prediction)), None)
        if before is not None:
            before.is_current = True
            await session.flush()
    return row.to_record()


async def get(session: AsyncSession, correction_id: int) -> CorrectionRecord:
    """A correction by its id.

    Raises:
        CorrectionNotFoundError: there is none.
    """
    return (await _get_row(session, correction_id)).to_record()


async def current_for(
    session: AsyncSession, prediction_id: int, contributor_id: int
) -> CorrectionRecord | None:
    """What a person says at present that a prediction shows."""
    said = await _said(session, prediction_id, contributor_id)
    return next((row.to_record() for row in said if row.is_current), None)


async def last_for(session: AsyncSession, prediction_id: int, contributor_id: int) -> CorrectionRecord | None:
    """What a person said last of a prediction and did not take back; perhaps a note, which does not count."""
    said = await _said(session, prediction_id, contributor_id)
    return said[0].to_record() if said else None


async def counting_for(session: AsyncSession, prediction_id: int) -> CorrectionRecord | None:
    """The correction of a prediction that counts: an admin's before its owner's, the newest of them."""
    row = await session.scalar(
        select(CorrectionRow)
        .where(CorrectionRow.prediction_id == prediction_id, CorrectionRow.is_current)
        .order_by(CorrectionRow.by_admin.desc(), CorrectionRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.to_record()


async def history(session: AsyncSession, prediction_id: int) -> list[CorrectionRecord]:
    """All that was ever said of a prediction, oldest first."""
    rows = await session.scalars(
        select(CorrectionRow).where(CorrectionRow.prediction_id == prediction_id).order_by(CorrectionRow.id)
    )
    return [row.to_record() for row in rows]


async def latest_of(
    session: AsyncSession, contributor_id: int, bot_id: int, chat_id: int
) -> CorrectionRecord | None:
    """What a person said last in a chat and did not take back; perhaps a note, which does not count."""
    row = await session.scalar(
        select(CorrectionRow)
        .join(PredictionRow, PredictionRow.id == CorrectionRow.prediction_id)
        .where(
            CorrectionRow.contributor_id == contributor_id,
            CorrectionRow.undone_at.is_(None),
            PredictionRow.bot_id == bot_id,
            PredictionRow.chat_id == chat_id,
        )
        .order_by(CorrectionRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.to_record()


async def set_states(session: AsyncSession, changes: Iterable[StateChange]) -> None:
    """Store what screening found. What a reviewer decided, or a person took back, stays as it is."""
    values = [
        {"which": change.correction_id, "state": change.state, "reason": change.reason} for change in changes
    ]
    if values:
        connection = await session.connection()
        await connection.execute(
            update(CorrectionRow.__table__)  # type: ignore[arg-type]  # a Table, typed as FromClause
            .where(
                CorrectionRow.id == bindparam("which"),
                CorrectionRow.decision.is_(None),
                or_(*(CorrectionRow.state == state for state in _TRAINABLE)),  # IN cannot run for many rows
            )
            .values(state=bindparam("state"), reason=bindparam("reason")),
            values,
        )
        session.expire_all()


async def decide(
    session: AsyncSession, correction_id: int, decision: Decision, by: int, now: datetime
) -> CorrectionRecord:
    """Store what a reviewer decided; the last one counts.

    Raises:
        CorrectionNotFoundError: no correction has this id.
        CorrectionNotCountingError: it was taken back or replaced, or consent to it was withdrawn.
    """
    row = await _get_row(session, correction_id)
    if not row.is_current or row.state is CorrectionState.WITHDRAWN:
        raise CorrectionNotCountingError(correction_id)
    row.decision, row.decided_by, row.decided_at = decision, by, now
    row.state, row.reason = CorrectionState(decision.value), CorrectionReason.REVIEWED
    await session.flush()
    return row.to_record()


async def review_queue(
    session: AsyncSession, limit: int = 10, *, consent_version: int | None = None
) -> list[ReviewItem]:
    """Corrections in quarantine that nobody has decided on, oldest first.

    Args:
        session: of a reading transaction.
        limit: corrections.
        consent_version: only photos of people who agreed to this text or a newer one.
    """
    found = await session.execute(
        select(CorrectionRow, PredictionRow)
        .join(PredictionRow, PredictionRow.id == CorrectionRow.prediction_id)
        .where(_waits_for_review(), _is_consented(consent_version))
        .order_by(CorrectionRow.created_at, CorrectionRow.id)
        .limit(limit)
    )
    return [ReviewItem(correction.to_record(), prediction.to_record()) for correction, prediction in found]


async def review_count(session: AsyncSession, *, consent_version: int | None = None) -> int:
    """How many corrections wait for a reviewer; of which people, as for `review_queue`."""
    waiting = select(func.count()).select_from(CorrectionRow).where(_waits_for_review())
    return await session.scalar(waiting.where(_is_consented(consent_version))) or 0


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
            _is_consented(consent_version),
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
            _is_consented(consent_version),
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
    states: Sequence[CorrectionState] = _TRAINABLE,
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
            func.coalesce(CorrectionRow.state, "").in_([state for state in states if state in _TRAINABLE]),
            _is_consented(consent_version),
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


def _is_consented(version: int | None = None) -> ColumnElement[bool]:
    """The person whose photo it is agreed (to this text or a newer one)."""
    agreed = and_(ContributorRow.id == CorrectionRow.owner_id, ContributorRow.consent == Consent.GIVEN)
    if version is not None:
        agreed = and_(agreed, ContributorRow.consent_version >= version)
    return exists().where(agreed)


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


def _waits_for_review() -> ColumnElement[bool]:
    return and_(
        CorrectionRow.is_current,
        CorrectionRow.state == CorrectionState.QUARANTINED,
        CorrectionRow.decision.is_(None),
    )


def _labels_each_glyph(digits: str, prediction: PredictionRow) -> bool:
    """As many digits as glyphs: each can be told which is whose."""
    return len(digits.replace("\n", "")) == len(prediction.glyphs) > 0


def _is_note(digits: str, prediction: PredictionRow) -> bool:
    """Other digits than the glyphs that were found could be: it tells how the photo was cut, and no label."""
    return bool(digits and prediction.glyphs) and not _labels_each_glyph(digits, prediction)


def _hindrance(labels_glyphs: bool, prediction: PredictionRow) -> CorrectionReason | None:
    """Why a correction cannot train, whatever its owner consents to."""
    if not labels_glyphs:
        return CorrectionReason.OTHER_LENGTH
    if all(glyph.sealed is None for glyph in prediction.glyphs):
        return CorrectionReason.NOT_KEPT
    return None


def _draw_key(prediction: PredictionRow, contributor: ContributorRow, digits: str) -> int:
    parts = (
        prediction.bot_id,
        prediction.chat_id,
        prediction.message_id,
        prediction.file_unique_id,
        contributor.user_id,
        digits,
    )
    return _digest(" ".join(map(str, parts)))


def _digest(text: str) -> int:
    """63 bits that look random."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


async def _said(session: AsyncSession, prediction_id: int, contributor_id: int) -> list[CorrectionRow]:
    """What a person said of a prediction and did not take back, newest first."""
    rows = await session.scalars(
        select(CorrectionRow)
        .where(
            CorrectionRow.prediction_id == prediction_id,
            CorrectionRow.contributor_id == contributor_id,
            CorrectionRow.undone_at.is_(None),
        )
        .order_by(CorrectionRow.id.desc()),
        execution_options={"populate_existing": True},  # others may have changed them before we had the lock
    )
    return list(rows)


async def _get_row(session: AsyncSession, correction_id: int) -> CorrectionRow:
    row = await session.get(CorrectionRow, correction_id)
    if row is None:
        raise CorrectionNotFoundError(correction_id)
    return row
