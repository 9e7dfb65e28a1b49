"""Bodies of requests and answers of the HTTP API, as its clients and its OpenAPI description see them."""

from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from model.reading import GlyphReading, Reading

MAX_BATCH = 500
"""Vectors in one request to classify."""

Pixel = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1)]
Ten = Annotated[list[Probability], Field(min_length=10, max_length=10)]
Sixteen = Annotated[list[Probability], Field(min_length=16, max_length=16)]
Digit = Annotated[int, Field(ge=0, le=9)]
Vector = Annotated[list[Pixel], Field(min_length=784, max_length=784)]

_SEED_VECTOR = {
    "type": "array",
    "items": {"type": "number", "minimum": 0, "maximum": 1},
    "minItems": 784,
    "maxItems": 784,
    "description": "28 × 28 pixels, row by row, 0 (paper) to 1 (ink)",
}


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problem(_Answer):
    """Why a request was refused."""

    detail: str


class PredictBody(BaseModel):
    """One picture, as the seed's clients send it; its length is checked by the handler, which answers 400."""

    model_config = ConfigDict(frozen=True)
    pixels: Annotated[list[Pixel], WithJsonSchema(_SEED_VECTOR)]


class Activations(_Answer):
    """What the classic network answers: the strongest output, and the sigmoids of its layers.

    Rounded to 4 places; what is below 0.001 is 0.
    """

    predicted_digit: Digit
    h1: Sixteen
    h2: Sixteen
    o: Ten

    @classmethod
    def from_layers(cls, layers: list[NDArray[np.float32]], index: int = 0) -> Self:
        """Picture ``index`` of the activations (N, 16), (N, 16) and (N, 10)."""
        h1, h2, o = (_rounded(layer[index]) for layer in layers)
        return cls(predicted_digit=int(layers[-1][index].argmax()), h1=h1, h2=h2, o=o)


def _nesting(pixels: Any) -> str:
    return "many" if isinstance(pixels, list) and pixels and isinstance(pixels[0], list) else "one"


class ClassifyBody(_Body):
    """One vector of 784 pixels 0 (paper) to 1 (ink), or up to 500 of them."""

    pixels: Annotated[
        Annotated[Vector, Tag("one")]
        | Annotated[list[Vector], Field(min_length=1, max_length=MAX_BATCH), Tag("many")],
        Discriminator(_nesting),
    ]


class Classes(_Answer):
    """The digit and the ten calibrated probabilities of each vector; nested as the pixels were."""

    predicted_digit: Digit | list[Digit]
    probabilities: Ten | list[Ten]


class GlyphAnswer(_Answer):
    """One digit of a reading; its box is left, top, right, bottom in pixels of the upright photo."""

    digit: Digit
    confidence: Probability
    probabilities: Ten
    box: Annotated[list[int], Field(min_length=4, max_length=4)]

    @staticmethod
    def values(glyph: GlyphReading) -> dict[str, Any]:
        """The fields of ``glyph``."""
        box = glyph.box
        return {
            "digit": glyph.digit,
            "confidence": glyph.confidence,
            "probabilities": list(glyph.probabilities),
            "box": [box.left, box.top, box.right, box.bottom],
        }


class _ReadingFields(_Answer):
    digits: str
    confidence: Probability
    abstained: bool
    reason: str | None
    seconds: Annotated[float, Field(ge=0)]

    @staticmethod
    def values(reading: Reading, seconds: float) -> dict[str, Any]:
        """The fields of ``reading`` but its glyphs."""
        abstention = reading.abstention
        return {
            "digits": reading.digits,
            "confidence": reading.confidence,
            "abstained": abstention is not None,
            "reason": None if abstention is None else abstention.reason.value,
            "seconds": round(seconds, 4),
        }


class ReadingAnswer(_ReadingFields):
    """A reading, as `digitbot read --json` prints it; several lines of digits are joined by newlines."""

    file: str
    glyphs: list[GlyphAnswer]

    @classmethod
    def from_reading(cls, reading: Reading, file: str, seconds: float) -> Self:
        """The answer for the photo called ``file``."""
        glyphs = (
            [GlyphAnswer(**GlyphAnswer.values(glyph)) for glyph in reading.glyphs] if reading.digits else []
        )
        return cls(file=file, glyphs=glyphs, **cls.values(reading, seconds))

    @classmethod
    def unreadable(cls, reason: str, file: str, seconds: float) -> Self:
        """The answer for what is no photo that we read."""
        abstained = Reading((), 0.0)
        return cls(
            file=file, glyphs=[], **cls.values(abstained, seconds) | {"abstained": True, "reason": reason}
        )


class DrawnGlyph(GlyphAnswer):
    """One digit of a drawing with what the networks see, 784 pixels 0..255, and the classic's activations."""

    pixels: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=784, max_length=784)]
    classic: Activations


class DrawingAnswer(_ReadingFields):
    """The reading of a drawing. Where the reader abstained, the glyphs are what it looked at."""

    glyphs: list[DrawnGlyph]

    @classmethod
    def from_reading(cls, reading: Reading, layers: list[NDArray[np.float32]], seconds: float) -> Self:
        """The answer with the classic network's activations (N, 16), (N, 16), (N, 10) of the N glyphs."""
        glyphs = [
            DrawnGlyph(
                pixels=glyph.pixels.ravel().tolist(),
                classic=Activations.from_layers(layers, index),
                **GlyphAnswer.values(glyph),
            )
            for index, glyph in enumerate(reading.glyphs)
        ]
        return cls(glyphs=glyphs, **cls.values(reading, seconds))


class LayerAnswer(_Answer):
    """One layer: ``weight[i][j]`` leads from input i to neuron j, and ``bias[j]`` joins its sum."""

    name: str
    weight: list[list[float]]
    bias: list[float]


class NetworkAnswer(_Answer):
    """The weights of the classic network, from the pixels to the ten outputs."""

    architecture: str
    layers: list[LayerAnswer]


class Health(_Answer):
    """That the server lives, and when the bot last fetched updates."""

    status: str
    last_poll: str | None
    seconds_since_last_poll: float | None


def _rounded(layer: NDArray[np.float32]) -> list[float]:
    """As the seed answers: 4 places, what is below 0.001 as 0."""
    values = np.round(layer.astype(np.float64), 4)
    return np.where(layer < 0.001, 0.0, values).tolist()  # type: ignore[no-any-return]  # of a 1-D array
