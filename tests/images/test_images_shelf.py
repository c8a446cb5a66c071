"""Many files of which a few are open at a time."""

import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile

from napari_unet.errors import ImageError
from napari_unet.images.shelf import Shelf


@pytest.fixture(params=[None, "zlib"])
def files(tmp_path, request):
    paths = [tmp_path / f"{i}.tif" for i in range(12)]
    for i, path in enumerate(paths):
        pixels = np.full((3, 40, 30), i, np.uint16)
        tifffile.imwrite(
            path,
            pixels,
            compression=request.param,
            photometric="minisblack",
            metadata={"axes": "ZYX"},
        )
    return paths


@pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux lists")
def test_a_few_are_open_and_all_can_be_read(files):
    process = psutil.Process()
    shelf = Shelf(most=3)
    images = [shelf.image(path) for path in files]
    for _ in range(2):
        for i, image in enumerate(images):
            assert (image.axes, image.dtype) == ("ZYX", np.uint16)
            assert (image.read(image.whole({"Z": 1})) == i).all()
            opened = {Path(file.path) for file in process.open_files()}
            assert len(opened & set(files)) <= 3


def test_axes_are_kept(files):
    image = Shelf().image(files[0], "TYX")
    assert image.read(image.whole({"T": 2})).shape == (1, 40, 30)


def test_a_file_that_is_gone_is_said(files):
    shelf = Shelf(most=1)
    images = [shelf.image(path) for path in files[:2]]
    files[0].unlink()
    with pytest.raises(ImageError, match=r"There is no file .*0\.tif"):
        images[0].read(images[0].whole({"Z": 0}))
