"""What every request to the engine has."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import ClassVar

_ids = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Request:
    """Something the engine is asked to do.

    Attributes
    ----------
    id : int
        Unique in the viewer's process; names the request in its answers and in
        `Engine.cancel`.
    urgent : bool
        Of the class: somebody looks at the screen and waits, so it goes before
        training and whole images.
    """

    id: int = field(default_factory=lambda: next(_ids))
    urgent: ClassVar[bool] = False
