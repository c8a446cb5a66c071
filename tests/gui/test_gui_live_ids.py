import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_unet.gui.same_ids import keep_ids


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
    np.testing.assert_array_equal(keep_ids(new, kept, int(kept.max())), kept)
