"""What the engine keeps between two requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_unet.models.folder import DESCRIPTION, find_model

if TYPE_CHECKING:
    from napari_unet.models import Model

# A user compares a few models; the weights of each are tens of megabytes.
KEPT_MODELS = 4


@dataclass
class State:
    """Loaded models, and where the log is.

    Attributes
    ----------
    log : str
        The file to name when something is to be reported.
    """

    log: str
    _models: dict[tuple[str, bytes], Model] = field(default_factory=dict)

    def model(self, name_or_folder: str) -> Model:
        """Load a model, or return it as it was loaded before.

        A model that has been saved anew is loaded anew: its description holds the
        checksum of its weights.

        Raises
        ------
        ModelError
            See `models.load_model`.
        """
        from napari_unet.models import load_model

        folder = find_model(name_or_folder)
        key = str(folder.absolute()), (folder / DESCRIPTION).read_bytes()
        model = self._models.pop(key, None) or load_model(folder)
        self._models[key] = model
        while len(self._models) > KEPT_MODELS:
            del self._models[next(iter(self._models))]
        return model
