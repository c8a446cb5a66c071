"""Planes that are predicted for the window."""

from pathlib import Path

import dask.array as da
import numpy as np
import windows

from napari_unet.gui.planes import Job, predict_planes
from napari_unet.images import image_from_array
from napari_unet.inference import PredictConfig
from napari_unet.models import read_spec


@windows.linux
def test_the_arrays_of_a_prediction_are_let_go_before_they_are_removed(
    engine, model, blobs, monkeypatch
):
    windows.like_windows(monkeypatch)
    image = image_from_array(np.stack([blobs, blobs]), axes="ZYX")
    config = PredictConfig(device="cpu")
    job = Job(image, list(image.planes()), str(model), read_spec(model), config)
    other = engine.array((1,), np.uint8)
    folder = Path(other.path).parent
    before = {*folder.glob("*.npy")}
    assert len(list(predict_planes(engine, job, lambda _: True))) > 2
    assert {*folder.glob("*.npy")} == before
    other.remove()


def test_cancel_does_not_wait_until_all_planes_of_a_slow_image_are_read(engine, model):
    planes = []

    def slow(block, block_info):
        planes.append(block_info[0]["chunk-location"][0])
        return block

    data = da.ones((20, 60, 80), np.uint8, chunks=(1, 60, 80))
    image = image_from_array(data.map_blocks(slow, dtype=np.uint8), axes="ZYX")
    planes.clear()
    config = PredictConfig(device="cpu")
    job = Job(image, [{"Z": 7}], str(model), read_spec(model), config)
    assert not list(predict_planes(engine, job, lambda _: len(planes) < 3))
    assert planes == [0, 1, 2]
