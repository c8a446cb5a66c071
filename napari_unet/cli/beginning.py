"""How a training began, kept with its checkpoints for when it goes on."""

from __future__ import annotations

import json
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from napari_unet.annotation.annotation import HELD_OUT
from napari_unet.errors import TrainingError, UnetError
from napari_unet.images import written_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_unet.training import Checkpoints, TrainingSet

BEGINNING = "beginning.json"
OTHERS_HELD_OUT = (
    "Other labels are held out than before, so the scores of earlier checkpoints do "
    "not count any more."
)
OPTIONS = ("recipe", "split", "channel", "axes")
# The next call may be from another folder.
File = Annotated[Path, AfterValidator(Path.absolute)]


class Beginning(BaseModel):
    """Options that a training goes on with where they are not given again.

    Attributes
    ----------
    recipe, split, channel, axes : Path, str or None
        As they were given.
    held_out : str or None
        A digest of the labels that checkpoints are scored by.
    images : tuple of tuple of str
        Names of the images, in the order in which they came: what is held out of some
        is decided without those that come later, so that it stays the same.
    """

    # The first versions wrote a single channel down, as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    recipe: File | None = None
    split: File | None = None
    channel: str | None = None
    axes: str | None = None
    held_out: str | None = None
    images: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read that of the training whose checkpoints are in `folder`.

        Raises
        ------
        TrainingError
            If it cannot be read.
        """
        path = folder / BEGINNING
        try:
            return cls.model_validate(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] != "extra_forbidden":
                raise _unreadable(path) from error
            raise TrainingError(
                f"'{path}' says '{first['loc'][0]}', which this napari-unet does not "
                "know: a newer one began this training. Update napari-unet-annotator "
                "to go on with it."
            ) from error
        except (OSError, ValueError) as error:
            raise _unreadable(path) from error

    def after(self, before: Self, tell: Callable[[str], None]) -> Self:
        """Return it with what `before` has and this has not, and tell what that is."""
        given = self.model_dump(exclude_defaults=True)
        taken = before.model_dump(exclude_defaults=True, exclude=set(given))
        options = " ".join(f"--{n} {taken[n]}" for n in OPTIONS if n in taken)
        if options:
            tell(f"The training goes on with {options}, as it began.")
        return self.model_copy(update=taken)

    def keep(
        self, checkpoints: Checkpoints, data: TrainingSet, tell: Callable[[str], None]
    ) -> None:
        """Write it beside the checkpoints.

        Where other labels are held out now, earlier scores do not count any more: a
        checkpoint would else stay the best only because its labels were easier.
        """
        held_out = _held_out(data)
        came = tuple(name for name in data if name not in chain(*self.images))
        images = (*self.images, came) if came else self.images
        now = self.model_copy(update={"held_out": held_out, "images": images})
        try:
            same = self.held_out == held_out
            if self.held_out is None:
                # The first versions, which did not write it down, held out a part of
                # the first image where whole ones are held out now.
                same = self.split is not None or len(data) == 1
            if checkpoints.best and not same:
                tell(OTHERS_HELD_OUT)
                checkpoints.forget_scores()
            with written_whole(checkpoints.folder / BEGINNING) as new:
                new.write_text(json.dumps(now.model_dump(), default=str))
        except UnetError as error:  # a full disk must not end the training
            tell(str(error))


def _unreadable(path: Path) -> TrainingError:
    return TrainingError(
        f"'{path}' cannot be read: it says how the training began. Remove it, and "
        "give --recipe, --split, --channel and --axes again as they were."
    )


def _held_out(data: TrainingSet) -> str:
    """Return a digest of the labels that are held out."""
    digest = blake2b(digest_size=8)
    for name in sorted(data):
        counts = data[name].annotation.tally()[:, HELD_OUT]
        if counts.any():
            digest.update(repr((name, counts.tolist())).encode())
    return digest.hexdigest()
