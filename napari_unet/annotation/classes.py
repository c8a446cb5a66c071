"""The classes a user labels: names and colours."""

from dataclasses import dataclass, replace

from napari_unet.errors import AnnotationError

# Told apart by colour-blind eyes too: Okabe and Ito's colours, then those of Paul Tol's
# muted ones that are like none of them.
PALETTE = (
    "#56b4e9",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#f0e442",
    "#d55e00",
    "#0072b2",
    "#882255",
    "#44aa99",
    "#999933",
    "#332288",
    "#117733",
)

# What a byte holds beside background and "not labelled".
MOST_CLASSES = 254


@dataclass(frozen=True)
class LabelClass:
    """A class: its name and its colour as ``#rrggbb``."""

    name: str
    colour: str


@dataclass(frozen=True)
class ClassScheme:
    """The classes of a model or of a user's annotation, background first.

    The class of a pixel is its index here: 0 is background, 1.. are the user's. A
    scribble's value is that index plus one, since 0 means "not labelled".
    """

    classes: tuple[LabelClass, ...]

    def __post_init__(self) -> None:
        names = [c.name.strip().lower() for c in self.classes]
        if not names:
            raise AnnotationError("A class list needs at least the background.")
        if len(set(names)) < len(names) or "" in names:
            raise AnnotationError(
                "Two classes have the same name, or one has none. Give each class a "
                "name of its own."
            )
        if len(names) > MOST_CLASSES + 1:
            raise AnnotationError(
                f"There are {len(names) - 1} classes; at most {MOST_CLASSES} can be "
                "labelled. Remove or merge some."
            )

    @classmethod
    def named(cls, *names: str) -> "ClassScheme":
        """Make a scheme of background and these classes, with the palette's colours."""
        scheme = cls((LabelClass("background", "#808080"),))
        for name in names:
            scheme = scheme.add(name)
        return scheme

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, background first."""
        return tuple(c.name for c in self.classes)

    def add(self, name: str, colour: str | None = None) -> "ClassScheme":
        """Return the scheme with one more class at the end.

        Without a `colour` it has the first of the palette's that fewest classes have.
        """
        used = [c.colour.lower() for c in self.classes]
        colour = colour or min(PALETTE, key=used.count)
        return ClassScheme((*self.classes, LabelClass(name, colour)))

    def rename(self, index: int, name: str) -> "ClassScheme":
        """Return the scheme with the class `index` called `name`."""
        return self._with(index, replace(self.classes[index], name=name))

    def recolour(self, index: int, colour: str) -> "ClassScheme":
        """Return the scheme with the class `index` in `colour`."""
        return self._with(index, replace(self.classes[index], colour=colour))

    def remove(self, index: int) -> "ClassScheme":
        """Return the scheme without the class `index`; later ones move down by one."""
        if index == 0:
            raise AnnotationError("Background cannot be removed.")
        return ClassScheme(self.classes[:index] + self.classes[index + 1 :])

    def _with(self, index: int, changed: LabelClass) -> "ClassScheme":
        classes = list(self.classes)
        classes[index] = changed
        return ClassScheme(tuple(classes))
