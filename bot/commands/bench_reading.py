"""`digitbot bench reading`: how well and how fast photos are read, in tables."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import mean, median
from time import perf_counter

import cv2
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from bot.decoder_process import keep_working_memory
from model.learning import camera, camera_evaluation, handwriting, mnist
from model.learning.camera import CONDITIONS, UNUSUAL
from model.learning.camera_evaluation import Photo, Read, Score, calibration_error
from model.learning.handwriting import Hand
from model.learning.negatives import KINDS
from model.learning.processes import sharing
from model.learning.retouching import RETOUCHES
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting
from model.nn import checkpoint
from model.recognizer import Recognizer
from model.vision.finding import read_page

SEED = 0

TIMED_SIZES = {"12 megapixels": (3024, 4032), "1280 x 960": (960, 1280)}
"""(H, W) of the timed photos."""

TIMED_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is measured.

    Attributes:
        condition, drawn, numbers, lines, unusual, negatives: photos of each condition, of drawn digits, of
            numbers, of lines, of each unusual condition, of each kind of picture without a digit.
        readings: of a timed photo in one run.
        rounds: runs of each side, in turn.
    """

    condition: int = 100
    drawn: int = 540
    numbers: int = 260
    lines: int = 208
    unusual: int = 40
    negatives: int = 40
    readings: int = 15
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Reading a photo against only decoding it.

    Attributes:
        name: of the photo.
        reading, bare: median seconds of each run, in the order of the runs.
    """

    name: str
    reading: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Reading / bare, run by run."""
        return tuple(a / b for a, b in zip(self.reading, self.bare, strict=True))


@dataclass(frozen=True, slots=True)
class ReadingFigures:
    """What the benchmark measured.

    Attributes:
        conditions: MNIST's test digits in photos of our camera, by condition.
        others: drawn digits and numbers and, where their folder is given, photos by people, as they are and
            after what apps do to photos.
        negatives: pictures without a digit, by kind.
        timings: by size of the photo.
    """

    conditions: tuple[Score, ...]
    others: tuple[Score, ...]
    negatives: tuple[Score, ...]
    timings: tuple[Timing, ...]

    def as_json(self) -> dict[str, object]:
        """The figures as one object."""
        digits = [answer for score in self.conditions for answer in score.answers]
        return {
            "camera": {score.name: score.accuracy for score in self.conditions},
            "camera_mean": mean(score.accuracy for score in self.conditions) if self.conditions else None,
            "camera_calibration_error": calibration_error(digits),
            "camera_abstained": mean(score.abstained for score in self.conditions)
            if self.conditions
            else None,
            "photos": {score.name: score.accuracy for score in self.others},
            "negatives": {score.name: score.abstained for score in self.negatives},
            "negatives_mean": mean(score.abstained for score in self.negatives),
            "timings": {
                timing.name: {
                    "reading_seconds": median(timing.reading),
                    "bare_seconds": median(timing.bare),
                    "ratio": median(timing.ratios),
                    "ratio_spread": [min(timing.ratios), max(timing.ratios)],
                }
                for timing in self.timings
            },
        }


def bench_reading(
    console: Console,
    mnist_folder: Path,
    photos: Path | None,
    *,
    amounts: Amounts = Amounts(),
    processes: int = 2,
) -> ReadingFigures:
    """Measure and show; tables whose data is not there are left out and named.

    Args:
        console: where tables and progress go.
        mnist_folder: MNIST's four files.
        photos: a folder with a manifest, or None.
        amounts: how much is measured.
        processes: that share the accuracy tables; timings run alone.
    """
    timings = tuple(_timing(name, amounts) for name in TIMED_SIZES)
    _show_timings(console, timings)
    has_mnist = all((mnist_folder / name).exists() for name in mnist.SHA256)
    if not has_mnist:
        console.print(f"no MNIST in {mnist_folder}: the table by condition is left out")
    if photos is None:
        console.print("no folder of photos: photos by people are left out")
    tasks = {
        "conditions": [("mnist", name, amounts.condition) for name in CONDITIONS] if has_mnist else [],
        "others": [
            ("drawn", "drawn digits", amounts.drawn),
            ("numbers", "drawn numbers", amounts.numbers),
            *([("lines", "lines by many hands", amounts.lines)] if has_mnist else []),
            *([("mnist", name, amounts.unusual) for name in UNUSUAL] if has_mnist else []),
            *([("folder", "single", 0), ("folder", "multi", 0)] if photos is not None else []),
            *([("retouched", name, 0) for name in RETOUCHES] if photos is not None else []),
        ],
        "negatives": [("negative", name, amounts.negatives) for name in KINDS],
    }
    measure = partial(_measure, mnist_folder, photos)
    with sharing(processes, _one_thread) as pool:
        running = {part: [pool.submit(measure, *task) for task in tasks[part]] for part in tasks}
        scores = {part: tuple(future.result() for future in running[part]) for part in running}
    figures = ReadingFigures(scores["conditions"], scores["others"], scores["negatives"], timings)
    _show_scores(console, figures)
    return figures


def _one_thread() -> None:
    """Processes share the cores; threads of libraries would only be in their way."""
    cv2.setNumThreads(1)
    threadpool_limits(1)


@cache
def _read() -> Read:
    """The whole way with the shipped reader, one for each process."""
    recognizer = Recognizer.from_checkpoint(checkpoint.shipped("reader"))
    return lambda data: recognizer.read(read_page(data))


def _measure(mnist_folder: Path, photos: Path | None, kind: str, name: str, count: int) -> Score:
    """One row of a table."""
    return camera_evaluation.score(name, _photos(mnist_folder, photos, kind, name, count), _read())


def _photos(mnist_folder: Path, photos: Path | None, kind: str, name: str, count: int) -> Iterator[Photo]:
    if kind == "mnist":
        return camera_evaluation.mnist_photos(mnist.load(mnist_folder).test, name, count, SEED)
    if kind == "drawn":
        return camera_evaluation.drawn_photos(count, SEED)
    if kind == "numbers":
        return camera_evaluation.number_photos(count, SEED)
    if kind == "lines":
        return camera_evaluation.line_photos(mnist.load(mnist_folder).test, count, SEED)
    if kind == "negative":
        return camera_evaluation.negative_photos(name, count, SEED)
    assert photos is not None  # asked for only where there is such a folder
    retouched, as_it_is = camera_evaluation.retouched_photos, camera_evaluation.folder_photos
    return retouched(photos, name, SEED) if kind == "retouched" else as_it_is(photos, name)


def _timed_photo(size: tuple[int, int]) -> bytes:
    """A drawn digit on lined paper as a baseline JPEG: a small photo enlarged, with a sensor's noise."""
    rng = np.random.default_rng(SEED)
    writing = DrawnWriting(handwriting.write(handwriting.choose_shape(DIGITS[4], rng), Hand.random(rng), rng))
    photo = camera.photograph(writing, CONDITIONS["lined"], rng, (720, 960))
    large = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(-3, 4, (*size, 1), dtype=np.int16)
    buffer = io.BytesIO()
    picture = np.clip(large.astype(np.int16) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(picture).save(buffer, "JPEG", quality=TIMED_QUALITY)
    return buffer.getvalue()


def _bare(data: bytes) -> object:
    """What every reader of photos has to do at least."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def _side(is_reading: bool, data: bytes, readings: int) -> float:
    """Median seconds of one side, warm, on one core; readings with memory as in a decoder process."""
    run: Callable[[bytes], object] = _bare
    if is_reading:
        keep_working_memory()
        run = _read()
    run(data)
    seconds = []
    for _ in range(readings):
        start = perf_counter()
        run(data)
        seconds.append(perf_counter() - start)
    return median(seconds)


def _timing(name: str, amounts: Amounts) -> Timing:
    """Both sides in turn, each time in a process of its own."""
    data = _timed_photo(TIMED_SIZES[name])
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for is_reading in (True, False) * amounts.rounds:
        with sharing(1, _one_thread) as process:
            seconds[is_reading].append(process.submit(_side, is_reading, data, amounts.readings).result())
    return Timing(name, tuple(seconds[True]), tuple(seconds[False]))


def _show_timings(console: Console, timings: tuple[Timing, ...]) -> None:
    table = Table("photo", "reading", "convert('L')", "ratio", "spread", title="Bytes to reading, one core")
    for timing in timings:
        table.add_row(
            timing.name,
            f"{median(timing.reading) * 1e3:.0f} ms",
            f"{median(timing.bare) * 1e3:.0f} ms",
            f"{median(timing.ratios):.2f}",
            f"{min(timing.ratios):.2f} to {max(timing.ratios):.2f}",
        )
    console.print(table)


def _show_scores(console: Console, figures: ReadingFigures) -> None:
    if figures.conditions:
        table = Table("condition", "right", "abstained", title="MNIST test digits through our camera")
        for score in figures.conditions:
            table.add_row(score.name, f"{score.accuracy:.1%}", f"{score.abstained:.1%}")
        answers = [answer for score in figures.conditions for answer in score.answers]
        table.add_section()
        right, abstained = (
            mean(getattr(score, name) for score in figures.conditions) for name in ("accuracy", "abstained")
        )
        table.add_row("mean", f"{right:.2%}", f"{abstained:.2%}")
        table.caption = f"calibration error {calibration_error(answers):.2%} (15 bins)"
        console.print(table)
    table = Table("photos", "right", "abstained", "of", title="Whole strings")
    for score in figures.others:
        table.add_row(score.name, f"{score.accuracy:.1%}", f"{score.abstained:.1%}", str(len(score.answers)))
    console.print(table)
    table = Table("picture", "abstained", title="Pictures without a digit")
    for score in figures.negatives:
        table.add_row(score.name, f"{score.abstained:.1%}")
    table.add_section()
    table.add_row("mean", f"{mean(score.abstained for score in figures.negatives):.1%}")
    console.print(table)
