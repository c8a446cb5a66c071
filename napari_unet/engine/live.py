"""The jobs of live training: images and labels in, a training that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.engine.messages import (
    AddImage,
    AtWork,
    PauseTraining,
    RemoveImage,
    RollBack,
    RolledBackTo,
    StopTraining,
    Train,
    WriteLabels,
)
from napari_unet.engine.run import Run
from napari_unet.engine.scheduler import WAIT
from napari_unet.errors import TrainingError
from napari_unet.training.events import Warned

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_unet.annotation import ClassScheme
    from napari_unet.engine.scheduler import Jobs
    from napari_unet.engine.session import Session
    from napari_unet.engine.state import State
    from napari_unet.models import Model
    from napari_unet.training import Checkpoints, TrainingSet


def add_image(request: AddImage, state: State) -> Generator[object, None, None]:
    """Take an image in, without labels."""
    from napari_unet.annotation import Annotation
    from napari_unet.images import Image
    from napari_unet.training import TrainingImage

    pixels = request.pixels.open("r")
    image = Image(pixels, request.axes, request.name, request.rgb)
    state.session.add(
        TrainingImage(
            request.key,
            image,
            request.channels,
            request.intensity,
            Annotation.of(image),
        )
    )
    yield from ()


def remove_image(request: RemoveImage, state: State) -> Generator[object, None, None]:
    """Forget an image."""
    state.session.remove(request.key)
    yield from ()


def write_labels(request: WriteLabels, state: State) -> Generator[object, None, None]:
    """Write what has been painted."""
    state.session.write(request.key, request.patches, request.object_classes)
    yield from ()


def train(request: Train, state: State) -> Generator[object, None, None]:
    """Train until told to stop, a step at a time."""
    import torch

    from napari_unet.nets.choice import choose_device
    from napari_unet.training import Checkpoints, Learner, check_crops
    from napari_unet.training import train as steps

    session = state.session
    if session.stopped == request.id:
        return
    if session.training:
        raise TrainingError("A training is under way already. Stop it first.")
    checkpoints = Checkpoints(request.folder)
    if len(checkpoints) and not request.resume:
        raise TrainingError(
            f"'{request.folder}' holds checkpoints of an earlier training. Resume it, "
            "or choose another folder."
        )
    device, notes = choose_device(request.config.device)
    model = _first_model(request, checkpoints, state)
    check_crops(model.net, request.config)
    data = _labelled_images(session, model, request.config.seed)
    learner = Learner(model, device, request.config)
    learner.check(data)
    if len(checkpoints) and _names(checkpoints) != request.classes.names:
        # How well other classes were told apart does not compare.
        checkpoints.forget_scores()
    learner.steps = checkpoints.steps
    run = Run(request.id, learner, data, checkpoints, torch.get_num_threads())
    session.begin(run)
    events = steps(learner, data, checkpoints, lambda: session.stopped == run.id)
    try:
        yield from map(Warned, notes)
        while True:
            session.share_cores()
            event = next(events, None)
            if event is None:
                return
            yield event
            yield from _wait(run, session)
    except GeneratorExit:
        if learner.steps > checkpoints.steps:
            learner.note_diameter(data)
            checkpoints.keep(learner.model(), learner.steps, None)
        raise
    finally:
        run.ended = True
        torch.set_num_threads(run.threads)


def stop_training(request: StopTraining, state: State) -> Generator[object, None, None]:
    """End a training after its step, or before it begins."""
    state.session.stopped = request.training
    yield from ()


def pause_training(
    request: PauseTraining, state: State
) -> Generator[object, None, None]:
    """Pause a training under way, or go on with it."""
    run = state.session.training
    if run is not None and run.id == request.training:
        run.paused = request.paused
    yield from ()


def leave_a_core(request: AtWork, state: State) -> Generator[object, None, None]:
    """Leave the viewer a core for some seconds."""
    state.session.note_work()
    yield from ()


def roll_back(request: RollBack, state: State) -> Generator[object, None, None]:
    """Give the training the weights of a checkpoint, or have it begin with them."""
    from napari_unet.training import Checkpoints

    folder = Path(request.checkpoint).parent
    # An engine that was started anew knows of no training, but the disk does.
    run = state.session.run_in(folder)
    checkpoints = Checkpoints(folder) if run is None else run.checkpoints
    checkpoint = checkpoints.find(Path(request.checkpoint).name)
    model = checkpoints.load(checkpoint.name)
    if run is not None:
        _restore(run, model, checkpoint.name)
    # What was learnt later is forgotten, and none of it the best.
    checkpoints.forget_scores(after=checkpoint.name)
    if run is None or run.ended:
        steps = checkpoints.steps if run is None else run.learner.steps
        yield checkpoints.keep(model, steps, checkpoint.score)
    yield RolledBackTo(checkpoint.name)


def _restore(run: Run, model: Model, name: str) -> None:
    spec = run.learner.spec
    same = _renamed(model.spec.classes, spec.classes)
    if not same or model.spec.channels != spec.channels:
        raise TrainingError(
            f"The checkpoint '{name}' has other classes or channels than the training "
            "under way. Choose a later one."
        )
    run.learner.restore(model.net.state_dict())
    run.learner.keep_good()


def _first_model(request: Train, checkpoints: Checkpoints, state: State) -> Model:
    """Return the last checkpoint, the base model or a new one, as it is asked for."""
    from napari_unet.models import Model, ModelSpec, adapt, build, new_net

    classes, channels, seed = request.classes, request.channels, request.config.seed
    if checkpoints.last is not None:
        model = checkpoints.load(checkpoints.last)
        if model.spec.channels == channels and _renamed(model.spec.classes, classes):
            return Model(model.spec.renamed(classes), model.net)
        adapted = adapt(
            model, classes=classes, channels=channels, name=request.name, seed=seed
        )
        return Model(adapted.spec.going_on(model.spec), adapted.net)
    if net := new_net(request.base):
        spec = ModelSpec(
            name=request.name, classes=classes, channels=channels, architecture=net
        )
        return build(spec, seed=seed)
    return adapt(
        state.model(request.base),
        classes=classes,
        channels=channels,
        name=request.name,
        seed=seed,
    )


def _names(checkpoints: Checkpoints) -> tuple[str, ...]:
    """Return the names of the classes of the last checkpoint."""
    from napari_unet.models import read_spec

    assert checkpoints.last is not None
    return read_spec(checkpoints.folder / checkpoints.last).classes.names


def _renamed(before: ClassScheme, now: ClassScheme) -> bool:
    """Say whether classes are the same ones, with other names or colours at most."""
    places = {name: i for i, name in enumerate(before.names)}
    return len(before) == len(now) and all(
        places.get(name, i) == i for i, name in enumerate(now.names)
    )


def _labelled_images(session: Session, model: Model, seed: int) -> TrainingSet:
    from napari_unet.training import TrainingSet

    data = TrainingSet(model.spec, seed, decided=True)
    images = session.images.values()
    data.add(*(image for image in images if image.annotation.labelled()))
    return data


def _wait(run: Run, session: Session) -> Iterator[object]:
    """Wait while the training is paused or has nothing to learn from."""
    told = None
    while session.stopped != run.id:
        obstacle = run.obstacle
        if obstacle and obstacle != told:
            told = obstacle
            yield Warned(obstacle)
        elif obstacle or run.paused:
            yield WAIT
            run.learner.history.waited()
        else:
            return


LIVE_JOBS: Jobs = {
    AddImage: add_image,
    RemoveImage: remove_image,
    WriteLabels: write_labels,
    Train: train,
    StopTraining: stop_training,
    PauseTraining: pause_training,
    AtWork: leave_a_core,
    RollBack: roll_back,
}
