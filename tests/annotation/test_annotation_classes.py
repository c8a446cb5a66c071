"""The list of classes."""

import pytest

from napari_unet.annotation import ClassScheme
from napari_unet.annotation.classes import PALETTE
from napari_unet.errors import AnnotationError


def test_classes_are_added_renamed_recoloured_and_removed():
    scheme = ClassScheme.named("nucleus", "cell")
    assert scheme.names == ("background", "nucleus", "cell")
    assert len({c.colour for c in scheme.classes}) == 3
    assert scheme.rename(1, "kernel").names[1] == "kernel"
    assert scheme.recolour(2, "#ffffff").classes[2].colour == "#ffffff"
    assert scheme.remove(1).names == ("background", "cell")
    assert len(scheme.add("fibre", "#000000")) == 4
    assert scheme.names == ("background", "nucleus", "cell")


def test_a_class_that_is_added_has_a_colour_of_its_own():
    scheme = ClassScheme.named("a", "b", "c").remove(1).add("d")
    assert len({c.colour for c in scheme.classes}) == 4
    assert scheme.classes[3].colour == PALETTE[0]
    scheme = scheme.recolour(3, PALETTE[3].upper()).add("e").add("f")
    colours = [c.colour.lower() for c in scheme.classes]
    assert len(set(colours)) == 6
    many = ClassScheme.named(*(f"class {i}" for i in range(2 * len(PALETTE) + 1)))
    assert [c.colour for c in many.classes[1:]] == [*PALETTE, *PALETTE, PALETTE[0]]


@pytest.mark.parametrize("name", ["Nucleus ", "", "background"])
def test_every_class_has_a_name_of_its_own(name):
    with pytest.raises(AnnotationError, match="name of its own"):
        ClassScheme.named("nucleus").add(name)


def test_background_cannot_be_removed():
    with pytest.raises(AnnotationError, match="Background"):
        ClassScheme.named("nucleus").remove(0)


def test_more_classes_than_a_byte_holds_are_refused():
    ClassScheme.named(*(f"class {i}" for i in range(254)))
    with pytest.raises(AnnotationError, match="at most 254"):
        ClassScheme.named(*(f"class {i}" for i in range(255)))
