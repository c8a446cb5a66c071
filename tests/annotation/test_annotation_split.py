"""What is held out for validation: about a fifth, stable, never all of a class."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_unet.annotation import Annotation, hold_out, take_in_objects
from napari_unet.annotation.labels import next_id
from napari_unet.images import Region

SIDE = 300
WHOLE = Region(0, 0, SIDE, SIDE)
TRAINING, HELD_OUT = 1, 2

COUNTS = pytest.mark.parametrize("n", [1, 2, 3, 10])


@st.composite
def changes(draw):
    """Return a change: (image, kind, region, value)."""
    y, x = draw(st.integers(0, SIDE - 80)), draw(st.integers(0, SIDE - 80))
    kind = draw(st.sampled_from(["stroke"] * 4 + ["accept", "erase"]))
    height, width = draw(st.sampled_from([(5, 60), (70, 4), (3, 8), (40, 40)]))
    return (
        draw(st.integers(0, 9)),
        kind,
        Region(y, x, y + height, x + width),
        draw(st.integers(1, 3)),
    )


def make(images, change):
    number, kind, region, value = change
    a = images[f"image {number % len(images)}"]
    if kind == "stroke":
        a.write_scribbles(region, value)
    elif kind == "erase":
        a.write_scribbles(region, 0)
        a.verify(region, False)
    else:
        height, width = region.shape
        middle = Region(
            region.y0, region.x0, region.y0 + height // 2 + 1, region.x0 + width // 2
        )
        a.write_objects(middle, next_id(a.ids()))
        a.verify(region)


def parts(images):
    return {name: a.split.read(WHOLE) for name, a in images.items()}


def check_all_assigned_and_every_class_in_training(images):
    tally = sum(a.tally() for a in images.values())
    assert tally[:, 0].sum() == 0
    for training, held in tally[:, 1:]:
        assert training > 0 or held == 0
    for a in images.values():
        np.testing.assert_array_equal(a.split.read(WHOLE) > 0, a.classes(WHOLE) >= 0)


@COUNTS
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_what_trains_goes_on_training_as_labels_come_and_go(n, data):
    images = {f"image {i}": Annotation((SIDE, SIDE)) for i in range(n)}
    for batch in data.draw(st.lists(st.lists(changes(), max_size=4), max_size=5)):
        before = parts(images)
        for change in batch:
            make(images, change)
        hold_out(images)
        check_all_assigned_and_every_class_in_training(images)
        for name, now in parts(images).items():
            assert not ((before[name] == TRAINING) & (now == HELD_OUT)).any()


@COUNTS
@given(batch=st.lists(changes(), max_size=12), seed=st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_the_same_labels_give_the_same_split(n, batch, seed):
    names = [f"image {i}" for i in range(n)]
    shuffled = list(np.random.default_rng(seed).permutation(names))
    one, other = (
        {str(k): Annotation((SIDE, SIDE)) for k in order} for order in (names, shuffled)
    )
    for change in batch:
        make(one, change)
        make(other, change)
    hold_out(one)
    hold_out(other)
    for name in names:
        np.testing.assert_array_equal(
            one[name].split.dense(), other[name].split.dense()
        )
    again = parts(one)
    hold_out(one)
    for name, part in parts(one).items():
        np.testing.assert_array_equal(part, again[name])


def test_a_class_all_of_which_would_be_held_out_is_learnt_from_at_once():
    a = Annotation((SIDE, SIDE))
    a.write_scribbles(Region(0, 0, 40, 40), 1)
    make({"image 0": a}, (0, "accept", Region(72, 1, 77, 61), 1))
    a.write_scribbles(Region(73, 0, 78, 60), 1)
    hold_out({"image 0": a})
    assert a.tally()[1].tolist() == [0, 30, 0]


@COUNTS
def test_about_a_fifth_of_complete_images_is_held_out(n):
    labels = np.zeros((SIDE, SIDE), np.uint32)
    for i, (y, x) in enumerate(np.ndindex(9, 9)):
        labels[y * 33 + 5 : y * 33 + 25, x * 33 + 5 : x * 33 + 25] = i + 1
    images = {f"image {i}": Annotation((SIDE, SIDE)) for i in range(n)}
    for a in images.values():
        take_in_objects(a, labels, complete=True)
    hold_out(images)
    share = [a.held_out(WHOLE).mean() for a in images.values()]
    assert 0.15 <= np.mean(share) <= 0.34
    if n < 3:
        # One end of one image.
        assert sum(s > 0 for s in share) == 1
        held = next(
            a.held_out(WHOLE) for a in images.values() if a.held_out(WHOLE).any()
        )
        ys, xs = np.nonzero(held)
        assert held.sum() == (np.ptp(ys) + 1) * (np.ptp(xs) + 1)
    else:
        # Whole images.
        assert set(share) == {0.0, 1.0}
    check_all_assigned_and_every_class_in_training(images)


@COUNTS
def test_about_a_fifth_of_the_strokes_of_each_class_is_held_out(n):
    images = {f"image {i}": Annotation((SIDE, SIDE)) for i in range(n)}
    for i, a in enumerate(images.values()):
        for value in (1, 2):
            for row in range(5 if n < 10 else 2):
                y = 20 + 50 * row + 20 * (value - 1) + i
                a.write_scribbles(Region(y, 30, y + 5, 150), value)
    hold_out(images)
    tally = sum(a.tally() for a in images.values())
    for label in (0, 1):
        assert tally[label, HELD_OUT] == pytest.approx(tally[label].sum() / 5, rel=0.4)
    held = np.concatenate([a.split.dense()[:, 30:150] for a in images.values()])
    assert (held.min(axis=1) == held.max(axis=1)).all(), "a stroke was cut"


def test_one_long_stroke_gives_one_end():
    a = Annotation((SIDE, SIDE))
    a.write_scribbles(Region(50, 40, 55, 240), 2)
    hold_out({"a": a})
    columns = a.held_out(Region(50, 40, 55, 240)).all(axis=0)
    assert columns.sum() == 40
    assert columns[:40].all() or columns[-40:].all()


def test_one_short_stroke_gives_nothing():
    a = Annotation((SIDE, SIDE))
    a.write_scribbles(Region(50, 40, 55, 70), 2)
    hold_out({"a": a})
    assert not a.held_out(WHOLE).any()


def test_a_stroke_that_grows_stays_in_training():
    a = Annotation((SIDE, SIDE))
    for x in range(10, 290, 7):
        a.write_scribbles(Region(50, x, 53, x + 7), 1)
        hold_out({"a": a})
    assert not a.held_out(WHOLE).any()


def test_an_image_may_have_a_name_that_is_no_valid_text():
    images = {"cells \udcff": Annotation((SIDE, SIDE))}
    images["cells \udcff"].write_scribbles(Region(5, 5, 10, 200), 2)
    hold_out(images)
    check_all_assigned_and_every_class_in_training(images)


def test_strokes_across_blocks_and_corners_are_one():
    a = Annotation((1000, 1000))
    for i in range(200, 600):
        a.write_scribbles(Region(i, i, i + 1, i + 1), 1)
    a.write_scribbles(Region(900, 10, 901, 990), 1)
    hold_out({"a": a})
    # Two pieces, the smaller one less than twice a fifth.
    assert a.held_out(Region(0, 0, 900, 1000)).sum() == 400
    assert not a.held_out(Region(900, 0, 901, 1000)).any()


def test_erasing_the_training_strokes_of_a_class_frees_the_held_out_ones():
    a = Annotation((SIDE, SIDE))
    for row in range(5):
        a.write_scribbles(Region(20 + 40 * row, 30, 25 + 40 * row, 130), 1)
    hold_out({"a": a})
    held = a.held_out(WHOLE)
    assert held.any()
    a.write_scribbles(WHOLE, np.where(held, 1, 0))
    hold_out({"a": a})
    assert not a.held_out(WHOLE).any()
    check_all_assigned_and_every_class_in_training({"a": a})


def test_a_class_that_only_a_held_out_region_shows_is_trained_with():
    images = {}
    for i in range(3):
        images[str(i)] = a = Annotation((SIDE, SIDE))
        a.verify(WHOLE)
        # Each image is the only one with a class of its own.
        a.write_objects(Region(50, 50, 90, 90), 1)
        a.set_object_classes({1: i + 1})
    hold_out(images)
    check_all_assigned_and_every_class_in_training(images)
    assert any(a.held_out(WHOLE).mean() > 0.9 for a in images.values())


def test_planes_of_a_stack_are_apart():
    a = Annotation((5, SIDE, SIDE), "ZYX")
    for z in range(5):
        a.write_scribbles(Region(50, 50, 55, 150, {"Z": z}), 1)
    hold_out({"a": a})
    held = [a.held_out(Region(50, 50, 55, 150, {"Z": z})).mean() for z in range(5)]
    assert sorted(held) == [0, 0, 0, 0, 1]
