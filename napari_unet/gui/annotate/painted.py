"""What a user paints on a label layer, noticed soon after each stroke."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_unet.images import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from napari.layers import Labels

# Milliseconds to gather strokes, and seconds to look for them without a pause.
_DELAY, _TURN = 100, 0.004

_ROWS = 256


class Painted:
    """Looks where a label layer may have been painted on.

    napari says that something was painted, not what: undo, redo and plug-ins change
    the data in ways of their own. So the planes in question are compared, in bands
    and in turns that are too short to be felt.

    Parameters
    ----------
    layer : napari.layers.Labels
        What is painted on.
    planes : list of Region
        All planes, whole.
    shown : callable
        Returns the plane on screen, None where planes are seen from the side or in 3-D.
    take : callable
        Called with a region to compare; returns the parts that were different.
    changed : callable
        Called with these parts, as often as some were found.
    """

    def __init__(
        self,
        layer: Labels,
        planes: list[Region],
        shown: Callable[[], Mapping[str, int] | None],
        take: Callable[[Region], list[Region]],
        changed: Callable[[list[Region]], None],
    ) -> None:
        self.layer = layer
        self._planes = {_key(region.plane): region for region in planes}
        self._shown = shown
        self._take = take
        self._changed = changed
        self._last_shown = self._on_screen()
        self._painted: set[tuple[int, ...]] = set()
        self._waiting: dict[tuple[int, ...], Iterator[Region]] = {}
        self._timer = QTimer(singleShot=True)
        self._timer.timeout.connect(self._look)
        self._events = (layer.events.paint, layer.events.set_data, layer.events.data)
        for event in self._events:
            event.connect(self._mark)

    def flush(self) -> None:
        """Look at once at everything that may have been painted on."""
        if not self.layer.visible:
            # Of an undo in it napari says nothing.
            self._wait_for(self._on_screen() | self._painted)
        self._timer.stop()
        self._look(float("inf"))

    def look_at(self, plane: Mapping[str, int]) -> None:
        """Look soon at a plane that was painted on and may not be on screen."""
        key = _key(plane)
        self._painted.add(key)
        self._wait_for({key})

    def close(self) -> None:
        """Look for the last time."""
        for event in self._events:
            event.disconnect(self._mark)
        self.flush()

    def _mark(self, event: Any) -> None:
        shown = self._on_screen()
        if event.type == "data":
            keys = set(self._planes)
        elif event.type == "paint":
            # A stroke from the side, in 3-D or with a thick brush is in several planes.
            one = shown and self.layer.n_edit_dimensions <= 2
            keys = shown if one else set(self._planes)
            self._painted |= keys
        elif shown == self._last_shown:
            # An undo may be of a stroke in another plane.
            keys = shown | self._painted
        else:
            # A stroke that is under way may have begun in the plane before.
            keys = shown | self._last_shown
        self._last_shown = shown
        self._wait_for(keys)

    def _wait_for(self, keys: set[tuple[int, ...]]) -> None:
        self._waiting.update((key, _bands(self._planes[key])) for key in keys)
        if not self._timer.isActive():
            self._timer.start(_DELAY)

    def _on_screen(self) -> set[tuple[int, ...]]:
        if len(self._planes) == 1:
            # It is seen from everywhere.
            return set(self._planes)
        plane = self._shown()
        return set() if plane is None else {_key(plane)}

    def _look(self, turn: float = _TURN) -> None:
        end = time.perf_counter() + turn
        changed: list[Region] = []
        while self._waiting and time.perf_counter() < end:
            key, bands = next(iter(self._waiting.items()))
            band = next(bands, None)
            if band is None:
                del self._waiting[key]
            else:
                changed += self._take(band)
        if self._waiting:
            self._timer.start(0)
        if changed:
            self._changed(changed)


def _key(plane: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(plane.values())


def _bands(plane: Region) -> Iterator[Region]:
    for y in range(plane.y0, plane.y1, _ROWS):
        yield Region(y, plane.x0, min(y + _ROWS, plane.y1), plane.x1, plane.plane)
