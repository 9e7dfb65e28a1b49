"""What can go wrong in `model`, as one tree.

ModelError
├── UnreadablePhotoError        the bytes are no photo that we read; says what is wrong with them
│   ├── UnopenedPhotoError      its file cannot be opened or read; says why
│   ├── UnknownFormatError      none of JPEG, PNG, WebP, BMP, GIF
│   ├── UnsupportedFormatError  a format that we know and do not read (AVIF, or HEIC without pillow-heif)
│   ├── PhotoTooLargeError      more bytes or pixels than allowed
│   └── BrokenPhotoError        starts like a photo and cannot be decoded to the end
├── ShapeError                  an array of another shape than a layer or network takes
├── CheckpointError             a file of weights that is missing, damaged or of another architecture
├── DataError                   MNIST files that are missing, damaged or not what they claim to be
└── TrainingError               training that cannot start or has gone wrong (loss not finite)
"""


class ModelError(Exception):
    """Anything that `model` raises on purpose."""


class UnreadablePhotoError(ModelError):
    """The bytes are no photo that digitbot reads."""


class UnopenedPhotoError(UnreadablePhotoError):
    """The file cannot be opened or read; the message is the operating system's reason."""


class UnknownFormatError(UnreadablePhotoError):
    """The content is none of the image formats on the allow-list."""


class UnsupportedFormatError(UnreadablePhotoError):
    """An image format that is recognised but cannot be decoded here.

    Attributes:
        format: its common name, such as "HEIC".
    """

    def __init__(self, format_name: str) -> None:
        super().__init__(f"{format_name} images cannot be read here")
        self.format = format_name


class PhotoTooLargeError(UnreadablePhotoError):
    """More bytes or pixels than the limits allow."""


class BrokenPhotoError(UnreadablePhotoError):
    """An image that starts well and cannot be decoded to the end."""


class ShapeError(ModelError):
    """An array has another shape than expected."""


class CheckpointError(ModelError):
    """A checkpoint is missing, damaged or of another architecture."""


class DataError(ModelError):
    """Training data is missing, damaged or not what it claims to be."""


class TrainingError(ModelError):
    """Training cannot start or has gone wrong."""
