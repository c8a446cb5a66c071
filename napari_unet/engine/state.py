"""What the engine keeps between two requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_unet.engine.session import Session
from napari_unet.models.folder import description_of, find_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet.inference.prepare import PreparedNet
    from napari_unet.models import Model

# A user compares a few models; the weights of each are tens of megabytes.
KEPT_MODELS = 4


@dataclass
class State:
    """Loaded models, live training, and where the log is.

    Attributes
    ----------
    log : str
        The file to name when something is to be reported.
    session : Session
        Images, their labels and the training.
    """

    log: str
    session: Session = field(default_factory=Session)
    _models: dict[tuple[str, bytes], Model] = field(default_factory=dict)
    _prepared: dict[str, tuple[object, PreparedNet]] = field(default_factory=dict)

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
        key = str(folder.absolute()), description_of(folder)
        model = self._models.pop(key, None) or load_model(folder)
        self._models[key] = model
        while len(self._models) > KEPT_MODELS:
            del self._models[next(iter(self._models))]
        return model

    def prepared(
        self, name: str, version: object, prepare: Callable[[], PreparedNet]
    ) -> PreparedNet:
        """Return a net ready for inference, made anew where its version has changed.

        Parameters
        ----------
        name : str
            Of the net.
        version : object
            Whatever is unequal where the weights are.
        prepare : callable
            Makes it.
        """
        before, net = self._prepared.pop(name, (None, None))
        if net is None or before != version:
            net = prepare()
        self._prepared[name] = version, net
        while len(self._prepared) > KEPT_MODELS:
            del self._prepared[next(iter(self._prepared))]
        return net
