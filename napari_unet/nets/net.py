"""What prediction and training ask of every net."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class SegmentationNet(nn.Module, ABC):
    """A fully convolutional net: an image of any size in, logits of each pixel out.

    Attributes
    ----------
    n_classes : int
        The first channels of what it gives are the logits of the classes.
    boundary_head : bool
        Whether one more channel follows, the logit of the boundary of an object.
    maps : int
        Feature maps at full resolution, which decide how much memory a tile takes.
    full_precision : bool
        Whether it must be run with 32 bits.
    own_loss : bool
        Whether it is trained by its own `loss`, and not by that of its logits.
    learns_objects : bool
        Whether it needs whole objects to learn from.
    """

    full_precision = False
    own_loss = False
    learns_objects = False
    n_classes: int
    boundary_head: bool
    maps: int

    @property
    @abstractmethod
    def multiple(self) -> int:
        """Tiles begin at multiples of this many pixels."""

    @property
    @abstractmethod
    def margin(self) -> int:
        """How many pixels around a tile its outcome depends on."""

    @property
    def halo(self) -> int:
        """How many pixels a lean net takes off each side; none if it pads."""
        return 0

    @property
    def context(self) -> int:
        """How many pixels more at each side an unpadded net is shown in training."""
        return 0

    @property
    @abstractmethod
    def first_layer(self) -> str:
        """The name of the weight that meets the channels of the image."""

    @property
    @abstractmethod
    def class_layers(self) -> tuple[str, ...]:
        """The names of layers with a filter for each class, then for the boundary."""

    def loss(
        self, image: Tensor, objects: Tensor, classes: Tensor, known: Tensor
    ) -> Tensor:
        """Return the loss of a net that has one of its own.

        Labels are on the CPU: what is looked up in them, pixel by pixel or object by
        object, would have a GPU waited for each time.

        Parameters
        ----------
        image : Tensor
            ``(N, C, Y, X)``, float32, on the net's device.
        objects : Tensor
            ``(N, Y, X)``, int: the number of the object at each pixel, 0 for none.
        classes : Tensor
            ``(N, Y, X)``, int64: the class of each pixel; -1 where not known.
        known : Tensor
            ``(N, Y, X)``, bool: where all objects are known.
        """
        raise NotImplementedError

    def make_lean(self) -> None:
        """Leave out, in place, what a tile that brings its `margin` does not need."""
