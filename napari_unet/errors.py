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


def too_large(name: object) -> ImageError:
    """Return the error for an image that does not fit into the memory."""
    return ImageError(
        f"'{name}' is too large for the memory of this computer. Cut it into parts, or "
        "close other programs."
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on whatever device."""
    if isinstance(error, MemoryError):
        return True
    # torch.OutOfMemoryError is a RuntimeError. The CPU's allocator and the libraries of
    # CUDA have no class, nor has a single array that is too large for Metal.
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        type(error).__name__ == "OutOfMemoryError"
        or "out of memory" in text
        or "not enough memory" in text
        or "can't allocate memory" in text
        or "status_alloc_failed" in text
        or "invalid buffer size" in text
    )


def is_gpu_failure(error: BaseException) -> bool:
    """Tell whether CUDA failed, after which its process cannot use it any more."""
    failed = ("cuda error", "cuda driver error", "cudnn error", "hip error")
    return (
        isinstance(error, RuntimeError)
        and any(words in str(error).lower() for words in failed)
        and not is_out_of_memory(error)
    )
