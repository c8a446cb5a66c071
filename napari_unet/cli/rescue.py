"""What becomes of a trained model that cannot be saved where it should be."""

from __future__ import annotations

import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.errors import ModelError
from napari_unet.models import save_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet.training import Learner


@contextmanager
def rescued(learner: Learner) -> Iterator[None]:
    """Save what was learnt in the folder for passing files, if not where it should be.

    Raises
    ------
    ModelError
        That it could not be saved, and where it is instead.
    """
    try:
        yield
    except (ModelError, OSError) as error:
        # What else is written is standard output, to a full disk or a closed pipe.
        folder = Path(tempfile.gettempdir(), f"napari-unet-{uuid.uuid4().hex[:8]}")
        try:
            save_model(learner.model(), folder)
        except ModelError as second:
            raise error from second
        why = str(error)
        if isinstance(error, OSError):
            why = f"What is printed cannot be written: {error.strerror}."
        raise ModelError(
            f"{why} What was learnt is in '{folder}' meanwhile: move it from there."
        ) from error
