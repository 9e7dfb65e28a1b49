"""What is to be learned: corrections screened by the shipped network, selected, decrypted, and split."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.config import Learning
from bot.services.champion import Champion
from bot.services.consent import TEXT_VERSION
from model.learning.cross_check import CrossCheck, choose
from model.learning.examples import Examples
from model.learning.selection import (
    QUARANTINING,
    Limits,
    Rule,
    Selection,
    TaughtGlyph,
    is_doubtful,
    largest_share,
    split,
    to_examples,
)
from storage import corrections, labelled_glyphs, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import KeyLostError
from storage.records import CorrectionState, LabelledGlyph, Screening, StateChange

SEED = 1
"""Of the draw; another one would take other corrections where there are more than the maximum."""
SPARE = 2
"""So many times the maximum is drawn, since some of what is drawn is left out."""
SCREENED_AT_ONCE = 200
"""Corrections that are screened in one go while nobody trains."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What a training learns, and what it is judged by besides.

    Attributes:
        trained, held_out: glyphs with the labels that people gave them.
        correction_ids: of what is trained.
        contributors: how many people taught it.
        largest_share: the part of it that one person taught, 0..1.
        left_out: how many glyphs each rule left out.
    """

    trained: Examples
    held_out: Examples
    correction_ids: tuple[int, ...]
    contributors: int
    largest_share: float
    left_out: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A labelled glyph with its pixels."""

    glyph: LabelledGlyph
    pixels: NDArray[np.uint8]


class LessonService:
    """Screens corrections and makes lessons of them; nothing that it stores decides what it does next.

    Args:
        database: where the corrections are.
        keyring: opens their glyphs.
        champion: knows the shipped network.
        settings: caps and thresholds.
    """

    def __init__(self, database: Database, keyring: Keyring, champion: Champion, settings: Learning) -> None:
        self._database, self._keyring, self._champion = database, keyring, champion
        self._settings = settings
        self._limits = Limits(
            quarantine_above=settings.quarantine_above,
            per_person_and_day=settings.corrections_per_person_and_day,
            per_pair=settings.corrections_per_confusion,
            unlimited_below=settings.caps_from,
            maximum=settings.maximum_training_corrections,
        )

    async def screen(self) -> int:
        """Screen some of the corrections that wait for it, so that their authors and the reviewers see them.

        Returns:
            How many corrections were given a state.
        """
        async with self._database.reading() as session:
            waiting = await labelled_glyphs.unscreened(
                session, self._keyring, SCREENED_AT_ONCE, consent_version=TEXT_VERSION
            )
        opened = await asyncio.to_thread(self._open, waiting)
        taught = await self._screened(opened)
        doubted = {
            glyph.key: Rule.MODEL_IS_SURE
            for glyph in taught
            if is_doubtful(glyph.shipped_digit, glyph.shipped_confidence, glyph.label, self._limits)
            and not glyph.is_trusted
        }
        changes = _state_changes([one.glyph for one in opened], doubted)
        await self._store(changes)
        return len(changes)

    async def exists(self) -> bool:
        """Whether anything was taught that may train; whether it passes screening is another question."""
        async with self._database.reading() as session:
            found = await labelled_glyphs.draw(
                session, seed=SEED, maximum=SCREENED_AT_ONCE, consent_version=TEXT_VERSION
            )
        return bool(found)

    async def make(self) -> Lesson:
        """The lesson of this moment: a pure function of the corrections at hand and the shipped network."""
        limits = self._limits
        async with self._database.reading() as session:
            drawn = await labelled_glyphs.draw(
                session,
                seed=SEED,
                maximum=SPARE * limits.maximum,
                per_person_and_day=max(limits.per_person_and_day, limits.unlimited_below),
                consent_version=TEXT_VERSION,
            )
        opened = await asyncio.to_thread(self._open, drawn)
        taught = await self._screened(opened)
        network = self._champion.shipped.recognizer.network
        selection = await asyncio.to_thread(choose, taught, network, limits, CrossCheck())
        await self._store(_state_changes([one.glyph for one in opened], selection.left_out))
        return _lesson(selection, {one.glyph.glyph_id: one.glyph.correction_id for one in opened})

    def _open(self, glyphs: Sequence[LabelledGlyph]) -> list[_Opened]:
        """Decrypted; glyphs whose key was lost are left out, which `doctor` tells of."""
        opened = []
        for glyph in glyphs:
            try:
                pixels = np.frombuffer(self._keyring.open(glyph.sealed), np.uint8).reshape(28, 28)
            except KeyLostError:
                continue
            opened.append(_Opened(glyph, pixels))
        return opened

    async def _screened(self, opened: Sequence[_Opened]) -> list[TaughtGlyph]:
        """With what the shipped network reads, which is asked once for each glyph."""
        shipped = self._champion.shipped
        new = [one for one in opened if one.glyph.screened_by != shipped.sha256]
        readings: dict[int, tuple[int, float]] = {}
        if new:
            pixels = np.stack([one.pixels for one in new]).reshape(-1, 784).astype(np.float32)
            classify = shipped.recognizer.classify
            probabilities = await asyncio.to_thread(classify, pixels / np.float32(255))
            screenings = [
                Screening(one.glyph.glyph_id, int(row.argmax()), shipped.sureness.of(float(row.max())))
                for one, row in zip(new, probabilities, strict=True)
            ]
            async with self._database.transaction() as session:
                await predictions.set_screening(session, shipped.sha256, screenings)
            readings = {
                screening.glyph_id: (screening.digit, screening.confidence) for screening in screenings
            }
        return [_taught(one, readings.get(one.glyph.glyph_id)) for one in opened]

    async def _store(self, changes: Sequence[StateChange]) -> None:
        if changes:
            async with self._database.transaction() as session:
                await corrections.set_states(session, changes)


def _taught(one: _Opened, reading: tuple[int, float] | None) -> TaughtGlyph:
    glyph = one.glyph
    if reading is None:
        assert glyph.screened_digit is not None  # stored together with `screened_by`
        assert glyph.screened_confidence is not None  # so is this
        reading = glyph.screened_digit, glyph.screened_confidence
    return TaughtGlyph(
        glyph.glyph_id,
        glyph.contributor_id,
        glyph.created_at,
        glyph.label,
        one.pixels,
        *reading,
        glyph.is_trusted,
    )


def _state_changes(glyphs: Iterable[LabelledGlyph], left_out: dict[int, Rule]) -> list[StateChange]:
    """What becomes of each correction, where that is new; one doubtful glyph is enough to hold it back."""
    rules: dict[int, list[Rule]] = defaultdict(list)
    known: dict[int, tuple[CorrectionState, str | None]] = {}
    for glyph in glyphs:
        known[glyph.correction_id] = glyph.state, glyph.reason
        rules[glyph.correction_id] += [left_out[glyph.glyph_id]] if glyph.glyph_id in left_out else []
    changes = []
    for correction_id, broken in rules.items():
        holding = [rule for rule in broken if rule in QUARANTINING]
        state = CorrectionState.QUARANTINED if holding else CorrectionState.ACCEPTED
        reason = next(iter(holding or broken), None)
        if known[correction_id] != (state, None if reason is None else reason.value):
            changes.append(StateChange(correction_id, state, None if reason is None else reason.value))
    return changes


def _lesson(selection: Selection, correction_of: dict[int, int]) -> Lesson:
    """Of what was chosen, without corrections of which one glyph waits for a reviewer."""
    held_back = {correction_of[key] for key, rule in selection.left_out.items() if rule in QUARANTINING}
    parts = split([glyph for glyph in selection.chosen if correction_of[glyph.key] not in held_back])
    left_out: dict[str, int] = defaultdict(int)
    for rule in selection.left_out.values():
        left_out[rule.value] += 1
    return Lesson(
        trained=to_examples(parts.trained),
        held_out=to_examples(parts.held_out),
        correction_ids=tuple(sorted({correction_of[glyph.key] for glyph in parts.trained})),
        contributors=len({glyph.contributor for glyph in parts.trained}),
        largest_share=largest_share(parts.trained),
        left_out=dict(left_out),
    )
