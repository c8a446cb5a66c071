"""Models kept on the way: at each best score and every few minutes."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.errors import ImageError, ModelError, TrainingError
from napari_unet.images import written_whole
from napari_unet.models import load_model, save_model
from napari_unet.training.events import Checkpointed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet.models import Model

INDEX = "checkpoints.json"
MOST = 12
_FOLDER = re.compile(r"step-(?P<step>\d+)(-\d+)?")


@dataclass(frozen=True)
class Checkpoint:
    """One kept model.

    Attributes
    ----------
    name : str
        Its folder inside the checkpoints' folder.
    step : int
        Steps of training behind it.
    score : float or None
        Mean Dice on held-out labels, 0 to 1, where it was measured.
    saved : float
        When, in seconds since 1970.
    """

    name: str
    step: int
    score: float | None
    saved: float


class Checkpoints:
    """A folder of models, thinned as it grows; the best is never thinned.

    Parameters
    ----------
    folder : Path
        Made when the first checkpoint is kept; one from before is gone on with.
    most : int
        How many are kept, at least 2.
    """

    def __init__(self, folder: Path | str, most: int = MOST) -> None:
        self.folder = Path(folder)
        self.most = most
        self._kept = self._read()

    def __iter__(self) -> Iterator[Checkpoint]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def best(self) -> str | None:
        """The name of the one with the highest score."""
        scored = [c for c in self._kept if c.score is not None]
        return max(scored, key=lambda c: c.score or 0).name if scored else None

    @property
    def last(self) -> str | None:
        """The name of the newest one."""
        return self._kept[-1].name if self._kept else None

    @property
    def steps(self) -> int:
        """After how many steps the newest one was kept; 0 if there is none."""
        return self._kept[-1].step if self._kept else 0

    def scored(self, step: int) -> bool:
        """Whether the newest one is of this step, and has a score that still counts."""
        if not self._kept:
            return False
        last = self._kept[-1]
        return last.step == step and last.score is not None

    def find(self, name: str) -> Checkpoint:
        """Return the one called `name`.

        Raises
        ------
        TrainingError
            If it is not there.
        """
        for checkpoint in self._kept:
            if checkpoint.name == name:
                return checkpoint
        raise TrainingError(
            f"The checkpoint '{name}' is no longer there: old ones make room for new "
            "ones. Choose another."
        )

    def is_best(self, score: float | None) -> bool:
        """Whether `score` is above those of all checkpoints so far."""
        scores = [c.score for c in self._kept if c.score is not None]
        return score is not None and score > max(scores, default=-1.0)

    def keep(self, model: Model, step: int, score: float | None) -> Checkpointed:
        """Write a model, drop one too many, and tell about it.

        Raises
        ------
        ModelError
            If it cannot be written; those kept before are still there.
        """
        best = self.is_best(score)
        used = {c.name for c in self._kept}
        name = next(
            n
            for i in range(len(used) + 1)
            if (n := f"step-{step:06d}" + (f"-{i}" if i else "")) not in used
        )
        save_model(model, self.folder / name)
        saved = time.time()
        self._kept.append(Checkpoint(name, step, score, saved))
        self._thin()
        self._write()
        return Checkpointed(step, name, score, best, saved)

    def forget_scores(self, after: str | None = None) -> None:
        """Let those kept later than the one called `after`, or all, be best no more.

        Raises
        ------
        ModelError
            If that cannot be written down.
        """
        names = [c.name for c in self._kept]
        first = 0 if after is None else names.index(after) + 1
        for i in range(first, len(names)):
            self._kept[i] = replace(self._kept[i], score=None)
        self._write()

    def load(self, name: str) -> Model:
        """Open the checkpoint called `name`."""
        return load_model(self.folder / name)

    def _thin(self) -> None:
        """Drop the checkpoint nearest in time to its neighbours while too many."""
        while len(self._kept) > self.most:
            spare = [i for i, c in enumerate(self._kept[:-1]) if c.name != self.best]
            dropped = self._kept.pop(min(spare, key=self._gap))
            shutil.rmtree(self.folder / dropped.name, ignore_errors=True)

    def _gap(self, i: int) -> float:
        """Seconds between the checkpoints before and after number `i`."""
        before = self._kept[i - 1].saved if i else 0.0
        return self._kept[i + 1].saved - before

    def _read(self) -> list[Checkpoint]:
        try:
            rows = json.loads((self.folder / INDEX).read_text(encoding="utf-8"))
            # A newer version may say more of each.
            names = [f.name for f in fields(Checkpoint)]
            kept = [Checkpoint(**{n: row[n] for n in names}) for row in rows]
        except (OSError, ValueError, TypeError, LookupError):
            return self._found()
        return [c for c in kept if (self.folder / c.name).is_dir()]

    def _found(self) -> list[Checkpoint]:
        """Return the models that are there without a list of them, unscored."""
        folders = [(_FOLDER.fullmatch(p.name), p) for p in self.folder.glob("step-*")]
        found = [
            Checkpoint(path.name, int(match["step"]), None, path.stat().st_mtime)
            for match, path in folders
            if match and path.is_dir()
        ]
        return sorted(found, key=lambda c: (c.step, c.saved))

    def _write(self) -> None:
        rows = json.dumps([asdict(c) for c in self._kept], indent=1)
        try:
            with written_whole(self.folder / INDEX) as new:
                new.write_text(rows)
        except ImageError as error:
            raise ModelError(str(error)) from error
