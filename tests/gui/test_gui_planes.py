"""Planes that are predicted for the window."""

from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import windows

from napari_unet.gui.predict.exchange import PlaneLabels
from napari_unet.gui.predict.planes import Job, predict_planes
from napari_unet.images import image_from_array
from napari_unet.inference import (
    PlaneDone,
    Planned,
    PredictConfig,
    Predicted,
    TileDone,
    VolumeDone,
    predict,
)
from napari_unet.models import load_model, read_spec, save_model


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


@pytest.fixture
def film():
    """Squares that come and go, in two slices of five frames."""
    film = np.full((5, 2, 60, 80), 100, np.uint16)
    for t in range(5):
        for n in range(5 - t, 8):
            y, x = 20 * (n % 3), 20 * (n // 3) + t
            film[t, :, y : y + 10, x : x + 10] = 4000
    return film


@pytest.mark.parametrize(("axes", "parts"), [("TZYX", 5), ("TCYX", 3), ("ZCYX", 1)])
def test_part_by_part_is_what_all_together_are(
    engine, model, film, axes, parts, monkeypatch
):
    # Two frames at a time.
    monkeypatch.setattr(f"{predict_planes.__module__}._AT_ONCE", 10_000)
    image = image_from_array(film, axes=axes)
    config = PredictConfig(device="cpu", channels=(1,) if "C" in axes else ())
    spec = read_spec(model)
    *_, expected = predict(load_model(model), image, config=config)

    job = Job(image, list(image.planes()), str(model), spec, config)
    requests = []
    events = list(predict_planes(engine, job, lambda id: requests.append(id) or True))
    labels = {tuple(e.plane.values()): e for e in events if isinstance(e, PlaneLabels)}
    assert labels.keys() == {tuple(p.values()) for p in image.planes()}
    for at, found in labels.items():
        np.testing.assert_array_equal(found.semantic, expected.labels.semantic[at])
        np.testing.assert_array_equal(found.instances, expected.labels.instances[at])
    assert sum(isinstance(e, Planned) for e in events) == 1
    tiles = [e for e in events if isinstance(e, TileDone)]
    assert [e.done for e in tiles] == list(range(1, len(tiles) + 1))
    assert {e.total for e in tiles} == {len(tiles)}
    planes = [tuple(e.plane.values()) for e in events if isinstance(e, PlaneDone)]
    assert planes == list(labels)
    volumes = [e for e in events if isinstance(e, VolumeDone)]
    assert len(volumes) == (parts if "Z" in axes else 0)
    last = events[-1]
    assert isinstance(last, Predicted)
    assert last.objects == expected.objects
    assert len({*requests} - {0}) == parts


def test_the_size_of_objects_is_found_in_the_middle_of_a_film(
    engine, model, film, tmp_path
):
    image = image_from_array(film[:, 0], axes="TYX")
    sized = tmp_path / "sized"
    before = load_model(model)
    spec = before.spec.model_copy(update={"diameter": 10.0})
    save_model(replace(before, spec=spec), sized)
    config = PredictConfig(device="cpu", diameter="auto")
    *_, expected = predict(load_model(sized), image, config=config)
    assert expected.diameter is not None

    job = Job(image, list(image.planes()), str(sized), read_spec(sized), config)
    events = list(predict_planes(engine, job, lambda _: True))
    assert events[-1].diameter == expected.diameter
    for found in (e for e in events if isinstance(e, PlaneLabels)):
        at = found.plane["T"]
        # The middle one comes first, and is numbered from 1.
        np.testing.assert_array_equal(
            same_numbers(found.instances), same_numbers(expected.labels.instances[at])
        )


def same_numbers(labels):
    """Return labels numbered from 1, in the order of their numbers."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def test_cancel_between_two_frames(engine, model, film, monkeypatch):
    monkeypatch.setattr(f"{predict_planes.__module__}._AT_ONCE", film[0, 0].size)
    image = image_from_array(film[:, 0], axes="TYX")
    config = PredictConfig(device="cpu")
    job = Job(image, list(image.planes()), str(model), read_spec(model), config)
    done = []
    for event in predict_planes(engine, job, lambda _: len(done) < 2):
        if isinstance(event, PlaneDone):
            done.append(event.plane["T"])
    assert done == [0, 1]


def test_cancel_does_not_wait_until_all_of_a_large_plane_is_read(engine, model):
    rows = []

    def slow(block, block_info):
        rows.append(block_info[0]["chunk-location"][0])
        return block

    data = da.ones((6000, 40), np.uint8, chunks=(600, 40))
    image = image_from_array(data.map_blocks(slow, dtype=np.uint8), axes="YX")
    rows.clear()
    config = PredictConfig(device="cpu")
    job = Job(image, [{}], str(model), read_spec(model), config)
    # It is measured first, all of it.
    assert not list(predict_planes(engine, job, lambda _: len(rows) < 13))
    # Two chunks are a band, and none is read in two of them.
    assert len(rows) == 14
    assert sorted(rows[10:]) == [0, 1, 2, 3]
