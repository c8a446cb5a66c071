"""An image: an array of any kind with named axes, cut by `Region`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_unet.errors import ImageError
from napari_unet.images.axes import check_axes
from napari_unet.images.region import Region


@dataclass(frozen=True, eq=False)
class Image:
    """An image, whatever holds its pixels; nothing is read before `read`.

    Attributes
    ----------
    data : array-like
        A numpy, dask or zarr array, or a memory map: it has `shape` and `dtype`
        (bool, integers or floats of any size and byte order) and can be sliced.
    axes : str
        A capital letter for each axis of `data`, e.g. ``"YX"``, ``"ZCYX"``,
        ``"YXC"``; Y and X are among them, C is the channels.
    name : str
        What to call it.
    rgb : bool
        Whether its three or four channels are red, green, blue (and opacity).
    notes : tuple of str
        What was guessed, in words for the user.
    pixel_size : mapping of str to float
        Micrometres between pixels along an axis, for the axes where it is known.
    named : bool
        Whether the file itself names its axes, so that nothing was guessed.

    Raises
    ------
    ImageError
        If the axes do not fit the array or the array does not hold real numbers.
    """

    data: Any
    axes: str
    name: str = "image"
    rgb: bool = False
    notes: tuple[str, ...] = ()
    pixel_size: Mapping[str, float] = field(default_factory=dict)
    named: bool = False

    def __post_init__(self) -> None:
        check_axes(self.axes, self.data.shape)
        if self.dtype.kind not in "buif":
            raise ImageError(
                f"The pixels of '{self.name}' are of type {self.dtype}, which is not "
                "a brightness. Convert the image to whole or decimal numbers."
            )
        if self.rgb and self.n_channels not in (3, 4):
            raise ImageError(
                f"'{self.name}' is marked as a colour picture but has "
                f"{self.n_channels} channels; one has three or four."
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the pixels as they are stored."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    @property
    def sizes(self) -> dict[str, int]:
        """The size of each axis in pixels (or planes, or channels)."""
        return {a: int(n) for a, n in zip(self.axes, self.data.shape, strict=True)}

    @property
    def n_channels(self) -> int:
        """The number of channels; 1 where there is no such axis."""
        return self.sizes.get("C", 1)

    @property
    def plane_shape(self) -> tuple[int, int]:
        """The height and the width of a plane in pixels."""
        return self.sizes["Y"], self.sizes["X"]

    @property
    def stack_axes(self) -> str:
        """The axes other than C, Y and X, in their order."""
        return "".join(a for a in self.axes if a not in "CYX")

    @property
    def stack_shape(self) -> tuple[int, ...]:
        """The sizes of `stack_axes`."""
        return tuple(self.sizes[a] for a in self.stack_axes)

    def planes(self) -> Iterator[dict[str, int]]:
        """Yield the position of every plane; once an empty one for a 2-D image."""
        for index in np.ndindex(self.stack_shape):
            yield dict(zip(self.stack_axes, index, strict=True))

    def whole(self, plane: Mapping[str, int] | None = None) -> Region:
        """Return the region that covers a plane completely."""
        return Region(0, 0, *self.plane_shape, plane or {})

    def read(
        self, region: Region, channels: Sequence[int] | None = None
    ) -> npt.NDArray[Any]:
        """Read a region, and no more than it needs.

        Parameters
        ----------
        region : Region
            Inside the image; its plane names every one of `stack_axes`.
        channels : sequence of int, optional
            Which channels, in which order; one may come more than once. All by
            default.

        Returns
        -------
        ndarray, (C, Y, X)
            A copy in the machine's byte order, otherwise of the image's type.

        Raises
        ------
        ImageError
            If the file is damaged or gone, or a channel does not exist.
        ValueError
            If the region is not inside the image.
        """
        self._check_inside(region)
        wanted = range(self.n_channels) if channels is None else channels
        self._check_channels(wanted)
        distinct = sorted(set(wanted))
        blocks = [self._cut(region, run) for run in self._runs(distinct)]
        pixels = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        if list(wanted) != distinct:
            pixels = pixels[[distinct.index(c) for c in wanted]]
        return np.array(pixels, self.dtype.newbyteorder("="), order="C")

    def _runs(self, distinct: list[int]) -> list[slice]:
        """Group channels into the slices that read the least."""
        first, last = distinct[0], distinct[-1]
        if len(distinct) == last - first + 1:
            return [slice(first, last + 1)]
        return [slice(c, c + 1) for c in distinct]

    def _cut(self, region: Region, channels: slice) -> npt.NDArray[Any]:
        rows, columns = region.slices
        cuts = {"Y": rows, "X": columns, "C": channels}
        index = tuple(cuts[a] if a in cuts else int(region.plane[a]) for a in self.axes)
        try:
            pixels = np.asarray(self.data[index])
        except MemoryError:
            raise
        except Exception as error:
            # A decoder, or a dask array's function, raises whatever it likes.
            raise ImageError(
                f"The pixels of '{self.name}' cannot be read: {error}. The file may "
                "be incomplete, damaged or gone: copy or export it again."
            ) from error
        left = [a for a in self.axes if a in "CYX"]
        if "C" not in left:
            return pixels.transpose(left.index("Y"), left.index("X"))[np.newaxis]
        return pixels.transpose(*(left.index(a) for a in "CYX"))

    def _check_inside(self, region: Region) -> None:
        height, width = self.plane_shape
        inside = region.y0 >= 0 and region.x0 >= 0
        inside = inside and region.y1 <= height and region.x1 <= width
        inside = inside and set(region.plane) == set(self.stack_axes)
        if not inside or any(
            not 0 <= i < self.sizes[a] for a, i in region.plane.items()
        ):
            raise ValueError(f"{region} is not inside an image of {self.sizes}")

    def _check_channels(self, channels: Sequence[int]) -> None:
        if not channels:
            raise ValueError("no channels to read")
        for channel in channels:
            if not 0 <= channel < self.n_channels:
                raise ImageError(
                    f"'{self.name}' has no channel {channel}: its channels are "
                    f"0 to {self.n_channels - 1}. Choose one of these."
                )
