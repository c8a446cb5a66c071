"""What the engine is told of images."""

import os
import threading
from dataclasses import replace

import dask.array as da
import numpy as np
import psutil
import pytest
from gui_threshold import saved_threshold_model

from napari_unet.annotation import Annotation
from napari_unet.engine.messages import AtWork, MostUncertain
from napari_unet.errors import EngineError, ImageError
from napari_unet.gui.train.feed import Feed
from napari_unet.gui.train.subject import Subject
from napari_unet.images import Image, Region
from napari_unet.models import Normalisation


@pytest.fixture
def film():
    """A film of 2 channels; nobody has labelled it."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 99, (30, 2, 120, 160), dtype=np.uint16)
    image = Image(pixels, "TCYX", "film")
    return Subject("film", image, (1, 0), Normalisation(), Annotation.of(image))


@pytest.fixture
def feed(engine):
    feed = Feed(engine, lambda key, split: None)
    yield feed
    feed.remove("film").result(60)
    feed.close()


def labelled(subject, t):
    labels = subject.labels.snapshot()
    labels.write_scribbles(Region(3, 4, 9, 9, {"T": t}), np.ones((6, 5), np.uint8))
    return replace(subject, labels=labels)


def frames_there(feed, subject):
    """Return which frames the engine has; what it has of them is right."""
    pixels = feed._shared["film"].pixels
    there = [t for t, frame in enumerate(pixels.open("r")) if frame.any()]
    for t in there:
        np.testing.assert_array_equal(
            pixels.open("r")[t], subject.image.data[t][[1, 0]]
        )
    if hasattr(os, "posix_fallocate"):
        frame = subject.image.data[0].nbytes
        assert os.stat(pixels.path).st_blocks * 512 < (len(there) + 2) * frame
    return there


def test_of_a_film_the_engine_gets_the_frames_that_it_needs(feed, film):
    feed.send(film).result(60)
    assert frames_there(feed, film) == []
    film = labelled(film, 7)
    feed.send(film).result(60)
    assert frames_there(feed, film) == [7]
    # What is on screen.
    feed.send(replace(film, planes=({"T": 29},))).result(60)
    assert frames_there(feed, film) == [7, 29]
    feed.send(labelled(film, 2)).result(60)
    assert frames_there(feed, film) == [2, 7, 29]
    # Other pixels, of which the labelled ones are needed.
    other = replace(film.image, data=film.image.data[::-1].copy())
    film = replace(film, image=other)
    feed.send(labelled(film, 2)).result(60)
    assert frames_there(feed, film) == [2, 7]


def test_an_engine_that_has_been_started_anew_has_them_again(
    feed, engine, film, tmp_path
):
    feed.send(labelled(film, 7)).result(60)
    killed = psutil.Process(engine.pid)
    killed.kill()
    with pytest.raises(EngineError):
        feed.ask(AtWork()).result(60)
    feed.send(replace(labelled(film, 3), planes=({"T": 0},))).result(60)
    assert frames_there(feed, film) == [0, 3, 7]
    model = saved_threshold_model(tmp_path / "two", channels=2)
    request = MostUncertain((("film", {"T": 0}),), model=str(model))
    *_, found = engine.request(request)
    assert found.key == "film"
    assert found.region.plane == {"T": 0}


def test_what_is_looked_at_is_there_also_where_newer_labels_took_its_place(feed, film):
    feed.send(film).result(60)
    go_on = threading.Event()
    feed._thread.submit(go_on.wait)
    # A view and a stroke elsewhere, while an image is read from afar.
    seen = feed.send(replace(film, planes=({"T": 29},)))
    feed.send(labelled(film, 7))
    go_on.set()
    seen.result(60)
    assert frames_there(feed, film) == [7, 29]


def test_labels_whose_pixels_cannot_be_read_are_not_learnt_from(feed, engine, film):
    broken = set()

    def read(block, block_info):
        if block_info[0]["chunk-location"][0] in broken:
            raise OSError("The drive is gone")
        return block

    chunked = da.from_array(film.image.data, chunks=(1, 2, 120, 160))
    data = chunked.map_blocks(read, dtype=np.uint16)
    film = replace(film, image=replace(film.image, data=data))
    feed.send(film).result(60)
    broken.add(7)
    film = labelled(film, 7)
    with pytest.raises(ImageError, match="drive is gone"):
        feed.send(film).result(60)
    # What is sent of another image brings all labels up to date.
    other = np.ones((60, 80), np.uint8)
    image = Image(other, "YX", "other")
    feed.send(
        Subject("other", image, (0,), Normalisation(), Annotation.of(image))
    ).result(60)
    assert not feed._known["film"]
    broken.clear()
    feed.send(film).result(60)
    assert feed._known["film"].labelled()
    feed.remove("other").result(60)


def test_an_image_too_large_for_the_memory_says_so_when_it_is_measured(feed, film):
    def too_much(block):
        raise MemoryError

    data = da.ones((2, 2, 60, 80), np.uint8).map_blocks(
        too_much, dtype=np.uint8, meta=np.empty((0,) * 4, np.uint8)
    )
    image = Image(data, "TCYX", "huge")
    huge = Subject("huge", image, (0,), Normalisation(), Annotation.of(image))
    with pytest.raises(ImageError, match="'huge' is too large for the memory"):
        feed.send(huge).result(60)
