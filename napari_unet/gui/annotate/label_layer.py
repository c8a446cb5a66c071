"""The layer in which one kind of labels of an image is drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from napari_unet.errors import AnnotationError
from napari_unet.gui.annotate.painted import Painted
from napari_unet.gui.image.placement import move_over
from napari_unet.gui.image.screen import is_flat
from napari_unet.gui.image.target import forget_history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.annotation import Blocks
    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.images import Region


class LabelLayer(ABC):
    """A layer that the user draws on, if there is one.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layer is.
    image : AnnotatedImage
        Whose annotation it shows.

    Attributes
    ----------
    role : str
        What it shows: an attribute of `Annotation`, a key of `target.OPACITY`.
    """

    role: ClassVar[str]

    def __init__(self, viewer: Viewer, image: AnnotatedImage) -> None:
        self._viewer = viewer
        self._image = image
        self._painted: Painted | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer, None if there is none or its last strokes are still taken over."""
        layer = self.followed
        return layer if layer in self._viewer.layers else None

    @property
    def followed(self) -> Labels | None:
        """The layer whose strokes are taken over."""
        return None if self._painted is None else self._painted.layer

    def show(self) -> Labels:
        """Return the layer, made if need be, as the active one."""
        layer = self.layer or self._add()
        # A layer that is shown again is drawn again, all of it.
        if not layer.visible:
            layer.visible = True
        self._viewer.layers.selection.active = layer
        return layer

    def write(self, regions: Sequence[Region]) -> None:
        """Show what was written into the annotation; undo goes back no further."""
        layer = self.followed
        if layer is not None:
            stack = self._image.target.stack(layer)
            parts = [p for r in regions for p in self._blocks.differing(stack, r)]
            for part in parts:
                stack[self._blocks.index(part)] = self._blocks.read(part)
            if parts:
                layer.refresh(extent=False)
            forget_history(layer)

    def look_at(self, plane: Mapping[str, int]) -> None:
        """Take over what was drawn in a plane, on screen or not, soon."""
        if self._painted is not None:
            self._painted.look_at(plane)

    def flush(self) -> None:
        """Take over strokes of the last moment."""
        if self._painted is not None:
            self._painted.flush()

    def forget(self, layer: Any) -> None:
        """If this is the layer, take over its last strokes and follow it no longer."""
        if self._painted is not None and self._painted.layer is layer:
            self._painted.close()
            self._painted = None

    def move(self) -> None:
        """Lie over the image's layer, which is another one now."""
        if self.followed is not None:
            move_over(self._image.target.layer, self.followed, self._image.name)

    @abstractmethod
    def _take(self, stack: NDArray[Any], region: Region) -> list[Region]:
        """Take over what the user painted in a region.

        Parameters
        ----------
        stack : ndarray
            ``(..., Y, X)``, the layer's data.
        region : Region
            Where to look.

        Returns
        -------
        list of Region
            The parts that were different.
        """

    @property
    def _blocks(self) -> Blocks:
        blocks: Blocks = getattr(self._image.annotation, self.role)
        return blocks

    def _add(self) -> Labels:
        blocks, image = self._blocks, self._image
        data = image.target.blank(blocks.dtype)
        # Before napari draws it.
        stack = image.target.in_order(data)
        for key in blocks.keys():
            stack[blocks.index(blocks.region(key))] = blocks.block(key)
        layer = image.target.add_layer(self._viewer, self.role, data)
        self._painted = Painted(
            layer,
            list(blocks.planes()),
            # Where several planes are painted at once, none of them is on screen.
            lambda: image.plane_shown() if self._is_flat() else None,
            self._take_part,
            image.changed.emit,
        )
        return layer

    def _is_flat(self) -> bool:
        return is_flat(self._viewer, self._image.target)

    def _take_part(self, region: Region) -> list[Region]:
        from napari.utils.notifications import show_error

        layer, target = self.followed, self._image.target
        if layer is None:
            return []
        if not target.fits(layer):
            show_error(
                f"The layer '{layer.name}' no longer has the size of the image. What "
                "is drawn on it is not kept: remove it and press Annotate."
            )
            self._painted = None
            return []
        try:
            return self._take(target.stack(layer), region)
        except AnnotationError as error:
            show_error(str(error))
            return []
