"""Saving in the background while somebody paints."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from napari_unet.annotation import Annotation, AnnotationStore, Autosave, ClassScheme
from napari_unet.errors import AnnotationError
from napari_unet.images import Region

SCHEME = ClassScheme.named("nucleus")
PATIENCE = 60


class Heard:
    """What was saved and what was not, and a way to wait for it."""

    def __init__(self):
        self.saved = []
        self.failed = []
        self._news = threading.Condition()

    def on_saved(self, key):
        with self._news:
            self.saved.append(key)
            self._news.notify_all()

    def on_failed(self, error):
        with self._news:
            self.failed.append(error)
            self._news.notify_all()

    def wait(self, condition):
        with self._news:
            assert self._news.wait_for(lambda: condition(self), PATIENCE)


class HeardStore(AnnotationStore):
    """Tells what it has saved."""

    def __init__(self, folder, heard):
        super().__init__(folder)
        self._heard = heard

    def save(self, key, *work):
        super().save(key, *work)
        self._heard.on_saved(key)


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def store(tmp_path, heard):
    return HeardStore(tmp_path, heard)


@pytest.fixture
def autosave(store, heard):
    autosave = Autosave(store, failed=heard.on_failed, delay=0.05, retry=0.05)
    yield autosave
    autosave.close()


def test_a_stroke_gets_to_the_disk_by_itself(store, heard):
    autosave = Autosave(store)
    a = Annotation((400, 400))
    a.write_scribbles(Region(5, 5, 9, 90), 2)
    autosave.changed("image", a, SCHEME)
    heard.wait(lambda h: h.saved)
    assert AnnotationStore(store.folder).load("image")[0].counts(2).tolist() == [0, 340]
    autosave.close()
    assert not autosave.unsaved


def test_while_painting_goes_on_every_saved_file_is_one_moment(store, autosave, heard):
    """Each stroke labels two far pixels; a file must have both or none of them."""
    a = Annotation((400, 700))
    stroke, seen = 0, set()
    while len(seen) < 4:
        stroke += 1
        y, x = divmod(stroke, 300)
        a.write_scribbles(Region(y, x, y + 1, x + 1), 2)
        a.write_scribbles(Region(y + 300, x + 400, y + 301, x + 401), 2)
        autosave.changed("image", a, SCHEME)
        time.sleep(0.002)  # faster than any hand, and room for a slow disk
        if len(heard.saved) > len(seen):
            found, _ = AnnotationStore(store.folder).load("image")
            near = found.scribbles.read(Region(0, 0, 100, 300))
            far = found.scribbles.read(Region(300, 400, 400, 700))
            np.testing.assert_array_equal(near, far)
            seen.add(int(near.sum()))
    autosave.flush()
    assert store.load("image")[0].counts(2).tolist() == [0, 2 * stroke]


def test_several_images_are_saved_each(store, autosave, heard):
    a = Annotation((20, 20))
    for i in range(5):
        a.write_scribbles(Region(0, 0, 1, i + 1), 1)
        autosave.changed(f"image {i}", a, SCHEME, f"name {i}")
    heard.wait(lambda h: len(set(h.saved)) == 5)
    for i in range(5):
        assert store.find(f"image {i}").counts == (i + 1, 0)
        assert store.find(f"image {i}").name == f"name {i}"


def test_closing_saves_what_waits(store):
    autosave = Autosave(store, delay=60)
    a = Annotation((20, 20))
    a.write_scribbles(Region(0, 0, 3, 3), 1)
    autosave.changed("image", a, SCHEME)
    assert autosave.unsaved
    autosave.close()
    assert store.find("image").counts == (9, 0)
    autosave.close()


def test_a_full_disk_is_told_once_and_tried_until_it_works(
    store, autosave, heard, full_disk, monkeypatch
):
    save, tries = store.save, threading.Semaphore(0)

    def counted(*work):
        tries.release()
        save(*work)

    monkeypatch.setattr(store, "save", counted)
    a = Annotation((300, 300))
    values = np.random.default_rng(0).integers(0, 3, (300, 300))
    a.write_scribbles(Region(0, 0, 300, 300), values)
    with full_disk(4096):
        autosave.changed("image", a, SCHEME)
        heard.wait(lambda h: h.failed)
        with pytest.raises(AnnotationError, match="Free some space"):
            autosave.flush()
        assert autosave.unsaved
        # The first, the one just now, and some by itself.
        for _ in range(5):
            assert tries.acquire(timeout=PATIENCE)
        assert len(heard.failed) == 1
        # Painting goes on meanwhile.
        a.write_scribbles(Region(0, 0, 9, 9), 1)
        autosave.changed("image", a, SCHEME)
    heard.wait(lambda h: h.saved)
    autosave.flush()
    np.testing.assert_array_equal(
        store.load("image")[0].scribbles.dense(), a.scribbles.dense()
    )


def test_closing_on_a_full_disk_can_be_repeated(store, full_disk):
    autosave = Autosave(store, delay=60)
    a = Annotation((300, 300))
    a.write_scribbles(
        Region(0, 0, 300, 300), np.random.default_rng(0).integers(0, 3, (300, 300))
    )
    autosave.changed("image", a, SCHEME)
    with full_disk(4096), pytest.raises(AnnotationError, match="cannot be saved"):
        autosave.close()
    autosave.close()
    assert store.find("image").counts == tuple(a.counts(2))


def test_one_image_that_cannot_be_saved_does_not_hold_up_another(
    store, autosave, heard
):
    (store.folder / "blocked").touch()
    a = Annotation((20, 20))
    autosave.changed("blocked", a, SCHEME)
    autosave.changed("image", a, SCHEME)
    heard.wait(lambda h: "image" in h.saved and h.failed)
    (store.folder / "blocked").unlink()
    heard.wait(lambda h: "blocked" in h.saved)


def test_strokes_do_not_wait_for_an_image_that_cannot_be_saved(store, heard):
    autosave = Autosave(store, failed=heard.on_failed, delay=0.05, retry=3600)
    (store.folder / "blocked").touch()
    a = Annotation((20, 20))
    autosave.changed("blocked", a, SCHEME)
    heard.wait(lambda h: h.failed)
    for i in range(3):
        autosave.changed("image", a, SCHEME)
        heard.wait(lambda h, i=i: len(h.saved) > i)
    assert heard.saved == ["image"] * 3
    assert len(heard.failed) == 1
    (store.folder / "blocked").unlink()
    autosave.close()
    assert heard.saved[3:] == ["blocked"]
    assert not autosave.unsaved


def test_a_process_that_forgets_to_close_saves_on_its_way_out(store):
    code = f"""
from napari_unet.annotation import *
from napari_unet.images import Region
autosave = Autosave(AnnotationStore({str(store.folder)!r}), delay=60)
a = Annotation((20, 20))
a.write_scribbles(Region(0, 0, 3, 3), 1)
autosave.changed("image", a, ClassScheme.named("nucleus"))
"""
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={"PYTHONPATH": ":".join(p or "." for p in sys.path)},
    )
    assert store.find("image").counts == (9, 0)
