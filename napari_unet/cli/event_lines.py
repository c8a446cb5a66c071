"""What happens while a model is trained, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_unet.training.events import TrainEvent


def line_of(event: TrainEvent) -> str:
    """Say an event in one line."""
    from napari_unet.training import events

    match event:
        case events.Stepped():
            return (
                f"step {event.step}, loss {event.loss:.3f}, "
                f"{event.steps_per_second:.2f} steps/s"
            )
        case events.Validated():
            dice = ", ".join("-" if d is None else f"{d:.3f}" for d in event.dice)
            return f"step {event.step}: held-out Dice {dice}; {event.verdict}"
        case events.Checkpointed():
            return f"step {event.step}: kept {event.name}" + (
                ", the best so far" if event.best else ""
            )
        case events.RolledBack():
            return (
                f"step {event.step}: the loss ran away; went back and halved the rate "
                f"to {event.learning_rate:g}"
            )
        case events.Warned():
            return event.text
        case events.Stopped():
            return f"step {event.step}: stopped; best {event.best}, last {event.last}"
