"""Bodies of requests and answers of the HTTP API, as its clients and its OpenAPI description see them."""

from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from bot.reading_answer import Digit, GlyphAnswer, Probability, Ten
from model.reading import Reading

MAX_BATCH = 500
"""Vectors in one request to classify."""

Pixel = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Sixteen = Annotated[list[Probability], Field(min_length=16, max_length=16)]
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


class DrawnGlyph(GlyphAnswer):
    """One digit of a drawing with what the networks see, 784 pixels 0..255, and the classic's activations."""

    pixels: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=784, max_length=784)]
    classic: Activations


class DrawingAnswer(_Answer):
    """The reading of a drawing; abstained: the reason is a name, and the glyphs are what was looked at."""

    digits: str
    confidence: Probability
    abstained: bool
    reason: str | None
    seconds: Annotated[float, Field(ge=0)]
    glyphs: list[DrawnGlyph]

    @classmethod
    def from_reading(cls, reading: Reading, layers: list[NDArray[np.float32]], seconds: float) -> Self:
        """The answer with the classic network's activations (N, 16), (N, 16), (N, 10) of the N glyphs."""
        return cls(
            digits=reading.digits,
            confidence=reading.confidence,
            abstained=not reading.digits,
            reason=None if reading.abstention is None else reading.abstention.reason.value,
            seconds=round(seconds, 4),
            glyphs=[
                DrawnGlyph(
                    **GlyphAnswer.from_glyph(glyph).model_dump(),
                    pixels=glyph.pixels.ravel().tolist(),
                    classic=Activations.from_layers(layers, index),
                )
                for index, glyph in enumerate(reading.glyphs)
            ],
        )


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
