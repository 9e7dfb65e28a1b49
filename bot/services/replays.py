"""A stored reading computed once more, to the bit; and what was taught, as files that load as MNIST does."""

import asyncio
import csv
import gzip
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import NotReplayableError
from bot.services.consent import TEXT_VERSION
from bot.services.reading import environment
from model.errors import CheckpointError
from model.nn import checkpoint
from model.recognizer import Recognizer
from storage import labelled_glyphs, model_versions, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import CheckpointGoneError, KeyLostError
from storage.records import GlyphRecord, LabelledGlyph


@dataclass(frozen=True, slots=True)
class Replay:
    """A reading beside its repetition.

    Attributes:
        version_id: of the network that read it then and now.
        stored, computed: ten probabilities for each glyph.
        is_same_machine: processor and libraries are those it was read with, so that no bit may differ.
    """

    prediction_id: int
    version_id: int
    stored: tuple[tuple[float, ...], ...]
    computed: tuple[tuple[float, ...], ...]
    is_same_machine: bool

    @property
    def is_exact(self) -> bool:
        """Every bit agrees."""
        return self.stored == self.computed

    @property
    def largest_difference(self) -> float:
        """Of two probabilities."""
        return float(np.abs(np.array(self.stored) - np.array(self.computed)).max(initial=0.0))


class ReplayService:
    """Repeats readings, and exports what was taught."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database, self._keyring = database, keyring

    async def replay(self, prediction_id: int) -> Replay:
        """Compute the outputs of a stored reading again from its 784 bytes a glyph.

        Raises:
            PredictionNotFoundError: there is no such reading.
            NotReplayableError: its glyphs or the weights that read them are not stored any more.
            KeyLostError: the key of its glyphs is not here.
        """
        async with self._database.reading() as session:
            prediction = await predictions.get(session, prediction_id)
            try:
                data = await model_versions.checkpoint_bytes(session, prediction.model_version_id)
            except CheckpointGoneError as exc:
                raise NotReplayableError(str(exc)) from exc
        try:
            recognizer = Recognizer.from_checkpoint(await asyncio.to_thread(checkpoint.load, data))
        except CheckpointError as exc:
            raise NotReplayableError(str(exc)) from exc
        computed = tuple(self._probabilities(recognizer, glyph) for glyph in prediction.glyphs)
        return Replay(
            prediction.id,
            prediction.model_version_id,
            tuple(glyph.probabilities for glyph in prediction.glyphs),
            computed,
            _is_here(prediction.environment),
        )

    def _probabilities(self, recognizer: Recognizer, glyph: GlyphRecord) -> tuple[float, ...]:
        if glyph.sealed is None:
            raise NotReplayableError("the glyphs of this reading are not stored any more")
        pixels = np.frombuffer(self._keyring.open(glyph.sealed), np.uint8).astype(np.float32)
        row = recognizer.classify((pixels / np.float32(255)).reshape(1, 784))[0]
        return tuple(float(probability) for probability in row)

    async def export(self, folder: Path) -> int:
        """Write what was accepted and consented to: two idx.gz files that load as MNIST's do, and a CSV.

        No person can be told from it: contributors are numbered anew, in the order of the glyphs.

        Returns:
            How many glyphs there are.
        """
        images: list[NDArray[np.uint8]] = []
        glyphs: list[LabelledGlyph] = []
        async with self._database.reading() as session:
            async for glyph in labelled_glyphs.export(session, consent_version=TEXT_VERSION):
                try:
                    pixels = self._keyring.open(glyph.sealed)
                except KeyLostError:
                    continue
                images.append(np.frombuffer(pixels, np.uint8).reshape(28, 28))
                glyphs.append(glyph)
        await asyncio.to_thread(_write, folder, images, glyphs)
        return len(glyphs)


def _is_here(recorded: Mapping[str, Any]) -> bool:
    return dict(recorded) == environment()


def _write(folder: Path, images: list[NDArray[np.uint8]], glyphs: list[LabelledGlyph]) -> None:
    """All files or none, so that labels never stand beside the images of an earlier export."""
    labels = np.array([glyph.label for glyph in glyphs], np.uint8)
    stacked = np.array(images, np.uint8).reshape(-1, 28, 28)
    contents = {
        "corrections-images-idx3-ubyte.gz": _idx(stacked),
        "corrections-labels-idx1-ubyte.gz": _idx(labels),
        "corrections.csv": _table(glyphs).encode(),
    }
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as unfinished:
        for name, content in contents.items():
            Path(unfinished, name).write_bytes(content)
        for name in contents:
            Path(unfinished, name).replace(folder / name)


def _table(glyphs: list[LabelledGlyph]) -> str:
    """The CSV."""
    numbers: dict[int, int] = {}
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow(["index", "label", "read", "confidence", "contributor", "date"])
    for index, glyph in enumerate(glyphs):
        who = numbers.setdefault(glyph.contributor_id, len(numbers) + 1)
        read = max(range(10), key=glyph.probabilities.__getitem__)
        confidence = f"{glyph.probabilities[read]:.4f}"
        table.writerow([index, glyph.label, read, confidence, who, glyph.created_at.date()])
    return file.getvalue()


def _idx(array: NDArray[np.uint8]) -> bytes:
    """The idx format, packed: two zero bytes, type 8 (uint8), the number of axes, their lengths, values."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), mtime=0)
