"""What every conversation is made of, whatever is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cancel:
    """Give up a request; an unknown or finished one is fine."""

    id: int


@dataclass(frozen=True)
class Quit:
    """End the engine now."""


@dataclass(frozen=True)
class Hello:
    """The first thing the engine says, before it has loaded torch."""

    version: str


@dataclass(frozen=True)
class Event:
    """Something a job yielded."""

    id: int
    event: object


@dataclass(frozen=True)
class Done:
    """A job has ended as it should, or was cancelled."""

    id: int


@dataclass(frozen=True)
class Failed:
    """A job has ended with an error.

    Attributes
    ----------
    error : str
        The name of a class in `napari_unet.errors`.
    text : str
        What to tell the user.
    """

    id: int
    error: str
    text: str
