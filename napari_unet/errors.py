"""The errors a user can meet.

Each message has three parts, in the user's words: what is wrong, where, and what
to do. Whoever talks to the user (the command line, the panel) shows the message of
any `UnetError` as it is; every other exception is a bug and is reported as one.
"""


class UnetError(Exception):
    """Something a user can understand and mend."""


class ImageError(UnetError):
    """An image cannot be opened, read or used as it is."""


class AnnotationError(UnetError):
    """Labels, classes or strokes are missing, broken or do not fit the image."""


class ModelError(UnetError):
    """A model cannot be found, opened or used on this image."""


class DeviceError(UnetError):
    """A device is not there, fails, or has too little memory."""


class TrainingError(UnetError):
    """Training cannot start or go on."""


class EngineError(UnetError):
    """The engine process could not be started or has ended."""
