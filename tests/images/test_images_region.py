"""Rectangles in rectangles."""

import numpy as np

from napari_unet.images import Region

PLANE = {"Z": 3}
WHOLE = Region(10, 20, 40, 60, PLANE)
PART = Region(12, 25, 30, 60, PLANE)


def test_a_part_is_found_in_the_whole_and_cut_out_of_it_again():
    rows, columns = PART.within(WHOLE)
    assert WHOLE.part(rows, columns) == PART
    plane = np.arange(50 * 70).reshape(50, 70)
    cut = plane[WHOLE.slices][rows, columns]
    np.testing.assert_array_equal(cut, plane[PART.slices])


def test_regions_meet_in_one_plane_alone():
    assert PART.intersect(WHOLE) == PART
    assert WHOLE.intersect(PART.grow(100)) == WHOLE
    assert Region(0, 0, 10, 60, PLANE).intersect(WHOLE) is None
    assert Region(10, 20, 40, 60, {"Z": 4}).intersect(WHOLE) is None
