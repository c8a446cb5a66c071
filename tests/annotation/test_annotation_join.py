import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.annotation.join import join_schemes, map_classes
from napari_unet.images import Region

names = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@given(names, names)
def test_joined_classes_keep_their_names(ours, theirs):
    a, b = ClassScheme.named(*ours), ClassScheme.named(*theirs)
    joined, where = join_schemes(a, b)
    assert joined.names[: len(a)] == a.names
    assert [joined.names[i] for i in where] == list(b.names)
    assert set(joined.names) == {*a.names, *b.names}


@given(names, names, st.integers(0, 2**32))
def test_labels_follow_their_classes(ours, theirs, seed):
    b = ClassScheme.named(*theirs)
    joined, where = join_schemes(ClassScheme.named(*ours), b)
    rng = np.random.default_rng(seed)
    annotation = Annotation((20, 30))
    whole = Region(0, 0, 20, 30)
    scribbles = rng.integers(0, len(b) + 1, (20, 30))
    annotation.write_scribbles(whole, scribbles)
    if len(b) > 1:
        ids = rng.integers(0, 4, (20, 30))
        classes = {i: int(rng.integers(1, len(b))) for i in (1, 2, 3)}
        annotation.write_objects(whole, ids)
        annotation.set_object_classes(classes)
        annotation.verify(whole)
    before = annotation.classes(whole)
    map_classes(annotation, where)
    after = annotation.classes(whole)
    assert ((before < 0) == (after < 0)).all()
    known = before >= 0
    old = np.array(b.names)[before[known]]
    np.testing.assert_array_equal(np.array(joined.names)[after[known]], old)


def test_a_class_called_like_our_background_gets_another_name():
    ours = ClassScheme.named("cell").rename(0, "stroma")
    joined, where = join_schemes(ours, ClassScheme.named("stroma"))
    assert joined.names == ("stroma", "cell", "stroma 2")
    assert where == (0, 2)
    joined, where = join_schemes(joined, ClassScheme.named("Stroma", "cell"))
    assert joined.names == ("stroma", "cell", "stroma 2", "Stroma 3")
    assert where == (0, 3, 1)
