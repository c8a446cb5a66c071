import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_unet.gui.train.same_ids import keep_ids


def numbered(labels):
    """Ids 1 to n, in order of value."""
    values, index = np.unique(labels, return_inverse=True)
    return (index.reshape(labels.shape) + (values[0] != 0)).astype(np.uint32)


def test_found_again_grown_split_and_new():
    old = np.zeros((4, 12), np.uint32)
    old[:, :3], old[:, 4:8] = 7, 9
    new = np.zeros_like(old)
    new[:, :4], new[:, 4:7], new[:, 7:8], new[:, 9:] = 3, 1, 2, 4
    kept = keep_ids(new, old, highest=20)
    assert kept[0].tolist() == [7, 7, 7, 7, 9, 9, 9, 21, 0, 22, 22, 22]


def test_ids_of_objects_that_are_gone_are_given_again():
    old = np.zeros((6, 12), np.uint32)
    # The middle two lie inside, the others may go on outside.
    for x, number in ((0, 5), (3, 6), (6, 7), (9, 8)):
        old[1:4, x : x + 3] = number
    old[4, 3] = 6
    new = np.zeros_like(old)
    new[5, ::3] = 1, 2, 3, 4
    kept = keep_ids(new, old, highest=20)
    assert kept[5, ::3].tolist() == [6, 7, 21, 22]
    # However long it goes on: each time all are others.
    for t in range(50):
        new = np.zeros_like(old)
        new[1 + t % 4, 2:11:2] = 1, 2, 3, 4, 5
        kept = keep_ids(new, kept, int(kept.max()))
    assert kept.max() < 40


ids = arrays(np.uint32, (6, 6), elements=st.integers(0, 5))


@given(ids, ids)
def test_the_same_objects_under_other_names(new, old):
    new = numbered(new)
    highest = int(old.max())
    kept = keep_ids(new, old, highest)
    pairs = set(zip(new.ravel().tolist(), kept.ravel().tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert (kept > 0).tolist() == (new > 0).tolist()
    here = set(np.unique(old).tolist())
    assert all(b in here or b > highest for _, b in pairs if b)
    edge = {*old[[0, -1]].flat, *old[:, [0, -1]].flat}
    shared = {(a, b) for a, b in zip(kept.flat, old.flat, strict=True) if a == b}
    # What goes on outside the region is no other object inside it.
    new_ones = {int(b) for _, b in pairs} - {int(a) for a, _ in shared}
    assert not new_ones & {int(i) for i in edge if i}
    np.testing.assert_array_equal(keep_ids(new, kept, int(kept.max())), kept)
