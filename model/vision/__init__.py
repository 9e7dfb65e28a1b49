"""The path of a photo from untrusted bytes to 28x28 glyphs."""

from model.vision.decode import DecodeLimits, decode
from model.vision.finding import find_page, glyph_of, read_page
from model.vision.page import PREPROCESSING_VERSION, Box, Glyph, Group, Line, Measurements, Page
from model.vision.picture import Picture

__all__ = [
    "PREPROCESSING_VERSION",
    "Box",
    "DecodeLimits",
    "Glyph",
    "Group",
    "Line",
    "Measurements",
    "Page",
    "Picture",
    "decode",
    "find_page",
    "glyph_of",
    "read_page",
]
