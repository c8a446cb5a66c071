"""Run as a program: an engine that gets no further than a stack's first slice."""

from napari_unet.engine.jobs import JOBS, predict
from napari_unet.engine.messages import Predict
from napari_unet.engine.scheduler import WAIT
from napari_unet.engine.server import main
from napari_unet.inference.events import PlaneDone


def predict_first(request, state):
    for event in predict(request, state):
        yield event
        while isinstance(event, PlaneDone) and request.pixels.shape[0] > 1:
            yield WAIT


if __name__ == "__main__":
    main({**JOBS, Predict: predict_first})
