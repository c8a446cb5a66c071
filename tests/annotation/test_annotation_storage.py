"""Annotations on disk: whole or not at all, and nothing is ever lost."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_unet.annotation import (
    Annotation,
    AnnotationStore,
    ClassScheme,
    hold_out,
    image_key,
)
from napari_unet.annotation.archive import read_header
from napari_unet.annotation.key import file_part, former_key
from napari_unet.errors import AnnotationError
from napari_unet.images import Region, image_from_array

SCHEME = ClassScheme.named("nucleus", "fibre")
LAYERS = ("scribbles", "objects", "verified", "split")


@pytest.fixture
def store(tmp_path):
    return AnnotationStore(tmp_path)


@pytest.fixture
def annotation():
    a = Annotation((2, 300, 400), "ZYX")
    at = {"Z": 1}
    a.write_scribbles(Region(10, 10, 20, 300, at), 2)
    a.write_scribbles(Region(100, 10, 110, 50, at), 3)
    a.write_objects(Region(200, 200, 290, 290, at), 70_000)
    a.set_object_classes({70_000: 2})
    a.verify(Region(150, 150, 300, 300, at))
    hold_out({"a": a})
    return a


def assert_same(one, other):
    assert (one.shape, one.axes) == (other.shape, other.axes)
    assert one.channels == other.channels
    assert one.object_classes == other.object_classes
    for layer in LAYERS:
        a, b = getattr(one, layer), getattr(other, layer)
        assert a.keys() == b.keys()
        np.testing.assert_array_equal(a.dense(), b.dense())


def kept_aside(store):
    return [
        p for p in store.path("image").parent.iterdir() if p.name != "annotation.npz"
    ]


def test_what_is_saved_is_found_and_loaded(store, annotation):
    assert store.find("image") is None
    store.save("image", annotation, SCHEME, "my cells.tif")
    found = AnnotationStore(store.folder).find("image")
    assert found.name == "my cells.tif"
    assert found.scheme == SCHEME
    assert found.counts == tuple(annotation.counts(3))
    loaded, scheme = AnnotationStore(store.folder).load("image")
    assert scheme == SCHEME
    assert_same(loaded, annotation)
    assert kept_aside(store) == []


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_annotation_comes_back_as_it_was(tmp_path_factory, data):
    shape = data.draw(st.sampled_from([(5, 7), (300, 270), (3, 9, 260)]))
    a = Annotation(shape, "ZYX"[-len(shape) :])
    for _ in range(data.draw(st.integers(0, 5))):
        plane = data.draw(st.sampled_from(list(a.scribbles.planes())))
        region = Region(
            data.draw(st.integers(0, plane.y1 - 1)),
            data.draw(st.integers(0, plane.x1 - 1)),
            plane.y1,
            plane.x1,
            plane.plane,
        )
        a.write_scribbles(region, data.draw(st.integers(0, 255)))
        index = data.draw(st.integers(1, 2**32 - 1))
        a.write_objects(region, index)
        a.set_object_classes({index: data.draw(st.integers(1, 9))})
        a.verify(region, data.draw(st.booleans()))
    a.channels = tuple(data.draw(st.lists(st.integers(0, 9), max_size=3)))
    store = AnnotationStore(tmp_path_factory.mktemp("store"))
    store.save("image", a, SCHEME)
    assert_same(store.load("image")[0], a)


def test_a_file_from_before_channels_were_kept_is_read(store, annotation):
    annotation.channels = (2,)
    rewrite(store, annotation, drop="channels")
    loaded, _ = store.load("image")
    assert loaded.channels == ()
    annotation.channels = ()
    assert_same(loaded, annotation)


def test_numpy_reads_the_file_without_pickles(store, annotation):
    store.save("image", annotation, SCHEME)
    with np.load(store.path("image"), allow_pickle=False) as file:
        assert file["scribbles/1.0.0"].max() == 3
        assert json.loads(file["annotation.json"])["schema_version"] == 1


def test_nothing_saved_says_so(store):
    with pytest.raises(AnnotationError, match="No labels are saved"):
        store.load("image")


def test_without_a_folder_the_users_data_directory_is_taken():
    from platformdirs import user_data_path

    folder = AnnotationStore().folder
    assert user_data_path("napari-unet", appauthor=False) in folder.parents
    assert "napari-unet" in str(folder)


class TestTrouble:
    @given(st.booleans(), st.integers(0, 10**6), st.integers(1, 255))
    @settings(max_examples=100, deadline=None)
    def test_a_damaged_file_is_told_or_harmless(
        self, tmp_path_factory, cut, at, change
    ):
        store = AnnotationStore(tmp_path_factory.mktemp("store"))
        a = Annotation((40, 50))
        a.write_scribbles(Region(3, 3, 9, 30), 1)
        a.write_objects(Region(3, 3, 9, 30), 1)
        a.set_object_classes({1: 2})
        store.save("image", a, SCHEME)
        path = store.path("image")
        content = bytearray(path.read_bytes())
        at %= len(content)
        if cut:
            content = content[:at]
        else:
            content[at] ^= change
        path.write_bytes(content)
        try:
            loaded, _ = store.load("image")
        except AnnotationError as error:
            assert str(path) in str(error)
        else:
            assert_same(loaded, a)
        assert path.read_bytes() == content

    def test_a_block_that_is_gone_is_damage(self, store, annotation):
        store.save("image", annotation, SCHEME)
        path = store.path("image")
        with zipfile.ZipFile(path) as whole:
            members = {name: whole.read(name) for name in whole.namelist()}
        members.pop(next(name for name in members if name.startswith("objects")))
        with zipfile.ZipFile(path, "w") as less:
            for name, content in members.items():
                less.writestr(name, content)
        with pytest.raises(AnnotationError, match="damaged"):
            store.load("image")

    @pytest.mark.parametrize(
        "change",
        [
            {"shape": [300, 400]},
            {"shape": "large"},
            {"axes": "YX"},
            {"classes": []},
            {"classes": [{"name": "a"}]},
            {"object_classes": {"70000": 0}},
            {"object_classes": [1]},
            {"schema_version": None},
            {"saved_at": "yesterday"},
        ],
    )
    def test_a_description_that_makes_no_sense_is_damage(
        self, store, annotation, change
    ):
        rewrite(store, annotation, change)
        with pytest.raises(AnnotationError, match="damaged"):
            store.load("image")

    @pytest.mark.parametrize(
        ("change", "why"),
        [({"schema_version": 2}, "format 2"), ({"notes": []}, "does not know 'notes'")],
    )
    def test_a_newer_file_says_to_update(self, store, annotation, change, why):
        rewrite(store, annotation, change)
        for look in (store.find, store.load):
            with pytest.raises(AnnotationError, match=f"{why}.*Update napari-unet"):
                look("image")

    def test_a_newer_layer_says_to_update(self, store, annotation):
        store.save("image", annotation, SCHEME)
        with zipfile.ZipFile(store.path("image"), "a") as archive:
            archive.writestr("depth/0.0.npy", b"")
        with pytest.raises(AnnotationError, match=r"know 'depth'.*Update napari-unet"):
            store.load("image")

    @pytest.mark.parametrize(
        "content", [b"", b"rubbish", {"schema_version": 2}, {"notes": []}]
    )
    def test_what_cannot_be_loaded_is_kept_when_work_goes_on(
        self, store, annotation, content
    ):
        if isinstance(content, dict):
            rewrite(store, annotation, content)
        else:
            store.path("image").parent.mkdir()
            store.path("image").write_bytes(content)
        before = store.path("image").read_bytes()
        with pytest.raises(AnnotationError):
            store.load("image")
        for _ in range(3):
            store.save("image", annotation, SCHEME)
        (aside,) = kept_aside(store)
        assert aside.read_bytes() == before
        assert_same(store.load("image")[0], annotation)

    def test_what_another_window_saved_is_kept(self, store, annotation):
        store.save("image", annotation, SCHEME)
        other = AnnotationStore(store.folder)
        empty = Annotation((2, 300, 400), "ZYX")
        other.save("image", empty, SCHEME)
        store.save("image", annotation, SCHEME)
        assert len(kept_aside(store)) == 2
        other.load("image")
        other.save("image", empty, SCHEME)
        assert len(kept_aside(store)) == 2

    def test_of_what_another_window_goes_on_saving_the_newest_is_kept(self, store):
        one, two = Annotation((20, 30)), Annotation((20, 30))
        other = AnnotationStore(store.folder)
        for i in range(10):
            one.write_scribbles(Region(0, 0, 1, i + 1), 1)
            store.save("image", one.snapshot(), SCHEME)
            two.write_scribbles(Region(0, 0, 2, i + 1), 2)
            other.save("image", two.snapshot(), SCHEME)
        # The window on the first one may have gone: all of it is there.
        kept = [read_header(p).counts for p in kept_aside(store)]
        assert sorted(kept) == [(0, 18, 0), (10, 0, 0)]
        assert store.find("image").counts == (0, 20, 0)

    def test_what_another_window_began_anew_takes_no_older_labels_with_it(self, store):
        other = AnnotationStore(store.folder)
        mine = Annotation((20, 30))
        for size in (9, 5):
            anew = Annotation((20, 30))
            anew.write_scribbles(Region(0, 0, 1, size), 1)
            store.save("image", anew, SCHEME)
            other.save("image", mine, SCHEME)
        kept = [read_header(p).counts for p in kept_aside(store)]
        assert sorted(kept) == [(0, 0, 0), (5, 0, 0), (9, 0, 0)]

    def test_a_folder_that_cannot_be_made(self, tmp_path, annotation):
        (tmp_path / "file").touch()
        store = AnnotationStore(tmp_path / "file")
        with pytest.raises(AnnotationError, match="cannot be saved"):
            store.save("image", annotation, SCHEME)

    def test_a_full_disk_leaves_what_was_saved(self, store, annotation, full_disk):
        store.save("image", annotation, SCHEME)
        noise = annotation.snapshot()
        values = np.random.default_rng(0).integers(0, 3, (300, 400))
        noise.write_scribbles(Region(0, 0, 300, 400, {"Z": 0}), values)
        with (
            full_disk(4096),
            pytest.raises(AnnotationError, match=r"cannot be saved.*Free some space"),
        ):
            store.save("image", noise, SCHEME)
        assert kept_aside(store) == []
        assert_same(store.load("image")[0], annotation)
        store.save("image", noise, SCHEME)
        assert_same(store.load("image")[0], noise)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_dying_at_any_line_leaves_the_old_or_the_new(self, store, annotation):
        small = Annotation((20, 400))
        small.write_scribbles(Region(0, 0, 2, 2), 1)
        store.save("image", small, SCHEME)
        script = Path(__file__).with_name("dying_saver.py")
        done = subprocess.run(
            [sys.executable, script, store.folder],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert len(seen) > 20
        # Until the file takes its place it is the old one, from then on the new one.
        assert seen == sorted(seen)
        assert seen[-1]

    def test_what_a_dead_process_left_is_cleared_in_time(self, store, annotation):
        store.save("image", annotation, SCHEME)
        left = store.path("image").with_name(".annotation.npz.1.unfinished")
        left.touch()
        store.save("image", annotation, SCHEME)
        assert left.exists()
        os.utime(left, (1, 1))
        store.save("image", annotation, SCHEME)
        assert not left.exists()


def rewrite(store, annotation, change=(), drop=None):
    """Save an annotation, and change or leave out something in its description."""
    path = store.path("image")
    AnnotationStore(store.folder).save("image", annotation, SCHEME)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["annotation.json"]) | dict(change)
    header.pop(drop, None)
    members["annotation.json"] = json.dumps(header).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


class TestKey:
    def image(self, seed=0, shape=(3, 200, 170)):
        pixels = np.random.default_rng(seed).integers(0, 9, shape, dtype=np.uint16)
        return image_from_array(pixels, axes="ZYX"[-len(shape) :])

    def test_the_same_pixels_have_the_same_key_whatever_the_name(self):
        assert image_key(self.image()) == image_key(self.image())
        assert image_key(self.image()) != image_key(self.image(1))
        assert image_key(self.image(shape=(20, 9))) != image_key(self.image())

    def test_it_stays_when_the_axes_are_named(self):
        pixels = np.random.default_rng(0).random((4, 60, 80))
        assert image_key(image_from_array(pixels, axes="CYX")) == image_key(
            image_from_array(pixels, axes="TYX")
        )

    def test_files_are_told_apart_and_what_is_in_one_file(self, tmp_path):
        path = tmp_path / "my cells (1).ome.tif"
        key = image_key(self.image(), path)
        assert key == image_key(self.image(), tmp_path / "x" / ".." / path.name)
        assert key.startswith("my-cells-1-ome-")
        other_channel = image_key(self.image(1), path)
        assert other_channel != key
        assert file_part(other_channel) == file_part(key)
        for other in (
            image_key(self.image(shape=(9, 9)), path),
            image_key(self.image(), tmp_path / "other.tif"),
        ):
            assert file_part(other) != file_part(key)
        assert file_part(image_key(self.image())) is None

    def test_an_address_on_the_web_is_the_same_wherever_napari_starts(
        self, tmp_path, monkeypatch
    ):
        address = "https://example.org/my cells.zarr"
        key = image_key(self.image(), address)
        assert key.startswith("my-cells-")
        monkeypatch.chdir(tmp_path)
        assert image_key(self.image(), address) == key

    def test_a_plane_that_is_read_as_a_whole_is_read_once(self):
        read = []

        def slow(block, block_info):
            read.append(block_info[0]["chunk-location"][0])
            return block

        image = self.image()
        lazy = da.from_array(image.data, chunks=(1, 200, 170))
        lazy = image_from_array(lazy.map_blocks(slow, dtype=lazy.dtype), axes="ZYX")
        read.clear()
        assert image_key(lazy) == image_key(image)
        assert sorted(read) == [0, 1, 2]

    @pytest.mark.parametrize("shape", [(1, 1), (33, 31), (2, 1, 500)])
    def test_small_images_have_keys_too(self, shape):
        assert image_key(self.image(shape=shape)).startswith("pixels-")

    def test_a_name_that_is_no_valid_text_has_a_key(self, tmp_path):
        path = tmp_path / "a\udcff.tif"
        assert image_key(self.image(), path) != image_key(self.image(), tmp_path / "a")

    def test_former_keys_are_those_that_the_first_versions_gave(self):
        stack = image_from_array(
            np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30), axes="ZYX"
        )
        colour = image_from_array(
            np.arange(12 * 9 * 3).astype(np.uint8).reshape(12, 9, 3),
            axes="YXC",
            rgb=True,
        )
        assert former_key(stack) == "pixels-d5c0bde6abed8914"
        assert former_key(colour) == "pixels-9fe5c7d85528c052"

    @pytest.mark.skipif(sys.platform == "win32", reason="its paths have a drive")
    def test_former_keys_of_files_are_those_that_the_first_versions_gave(self):
        stack = image_from_array(np.zeros((3, 20, 30), np.uint16), axes="ZYX")
        key = former_key(stack, "/data/my cells.ome.tif")
        assert key == "my-cells-ome-c404f3be3c0a184a"
