"""``napari-unet train``: images and their labels in, a model out."""

import json as jsons
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_unet.cli.event_lines import line_of
from napari_unet.cli.options import DEVICE, Axes, Channel, ImageFolder
from napari_unet.cli.terminal import (
    error_console,
    interrupted,
    progress_bar,
    say,
    user_errors,
)
from napari_unet.errors import TrainingError
from napari_unet.inference.config import parse_channels
from napari_unet.training.config import TrainConfig

if TYPE_CHECKING:
    from napari_unet.training.events import TrainEvent


def train(
    images: ImageFolder,
    out: Annotated[
        Path, typer.Option(metavar="MODEL", help="Folder for the trained model.")
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of complete masks, named like the images: objects numbered "
            "1.., or the class of each pixel with --classes or a --base of several "
            "classes.",
        ),
    ] = None,
    scribbles: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of strokes, named like the images: 0 not labelled, "
            "1 background, 2.. the classes.",
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Names of the classes without background; masks hold these then, and "
            "not objects.",
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A TOML file with the net, its classes and how to train it; begins "
            "with random weights unless there is a --base.",
        ),
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV table with the columns id and split: images of train are "
            "learnt from, of val held out, others left out.",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FOLDER|none",
            help="The model to begin with, nuclei unless there is a --recipe; or for "
            "random weights none or a net: unet, unet-2015, fcn-32s, fcn-16s, fcn-8s, "
            "patches or maskrcnn.",
        ),
    ] = None,
    channel: Channel = None,
    axes: Axes = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="Minutes to train; with --resume, so many more."
        ),
    ] = TrainConfig.minutes,
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="Steps to train; with --resume, so many more."),
    ] = TrainConfig.steps,
    device: Annotated[str | None, DEVICE] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Any number: another one makes other random choices. 0 if absent.",
            min=0,
            max=2**32 - 1,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", metavar="", help="Go on from the last checkpoint."),
    ] = False,
    json: Annotated[
        bool,
        typer.Option(
            "--json", metavar="", help="Print one line of JSON for each event."
        ),
    ] = False,
) -> None:
    """Fine-tune a model, or train one from scratch; the best is saved as MODEL.

    Without --minutes and --steps it goes on until Ctrl-C.
    """
    console = error_console()

    def tell(note: str) -> None:
        say(console, note, "yellow")

    with user_errors():
        from napari_unet.cli.beginning import Beginning
        from napari_unet.cli.checkpoints import checkpoints_beside, going_on, save_best
        from napari_unet.cli.first_model import first_model
        from napari_unet.cli.label_files import masks_hold_objects
        from napari_unet.cli.recipe import read_recipe, settings
        from napari_unet.cli.rescue import rescued
        from napari_unet.cli.training_folder import open_training_folder
        from napari_unet.models import check_place
        from napari_unet.nets.choice import choose_device
        from napari_unet.training import Learner, check_crops, train

        out = out.absolute()
        check_place(out)
        if recipe is not None and classes is not None:
            raise TrainingError(
                f"'{recipe}' names the classes. Leave --classes out, or write them "
                "into the recipe."
            )
        names = (
            None if classes is None else tuple(n.strip() for n in classes.split(","))
        )
        checkpoints = checkpoints_beside(out, tell, resume=resume)
        began = Beginning(recipe=recipe, split=split, channel=channel, axes=axes)
        if len(checkpoints):
            began = began.after(Beginning.of(checkpoints.folder), tell)
        plan = read_recipe(began.recipe) if began.recipe else None
        given = {"minutes": minutes, "steps": steps, "device": device, "seed": seed}
        config = plan.config(**given) if plan else settings(**given)
        channels = parse_channels(began.channel)
        folder = open_training_folder(
            images, labels, scribbles, began.split, began.axes, tell
        )
        if checkpoints.last is not None:
            wanted = names or (plan.classes.names[1:] if plan else None)
            net = plan.architecture if plan else None
            model = going_on(checkpoints, checkpoints.last, wanted, net)
        elif plan is not None:
            model = plan.model("none" if base is None else base, config.seed)
        else:
            model = first_model(
                "nuclei" if base is None else base,
                names,
                out.name,
                folder.first,
                channels,
                config.seed,
            )
        if plan is None and not folder.strokes and not model.net.own_loss:
            # It learns more a step where every pixel is labelled.
            config = replace(config, optimiser="muon")
        check_crops(model.net, config)
        said = plan.objects if plan else False if names else None
        objects = masks_hold_objects(model.spec, said)
        model = folder.noted_in(model, objects=objects)
        # A training that goes on draws other crops than those it began with.
        data = folder.training_set(
            model.spec,
            channels=channels,
            objects=objects,
            came=began.images,
            seed=config.seed + checkpoints.steps,
            tell=tell,
        )
        chosen, notes = choose_device(config.device)
        for note in notes:
            tell(note)
        learner = Learner(model, chosen, config)
        learner.steps = before = checkpoints.steps
        with rescued(learner), progress_bar(console) as bar, interrupted() as stop:
            task = bar.add_task("starting", total=config.steps)
            events = train(learner, data, checkpoints, stop.is_set)
            for number, event in enumerate(events):
                if number == 0:  # since now the folder is held for this training
                    began.keep(checkpoints, data, tell)
                done = learner.steps - before
                bar.update(task, description=line_of(event), completed=done)
                _print(event, json)
            save_best(checkpoints, learner, out)
    if not json:
        print(f"Saved the best model to {out}.")


def _print(event: "TrainEvent", json: bool) -> None:
    kind = type(event).__name__
    if json:
        print(jsons.dumps({"event": kind.lower(), **asdict(event)}), flush=True)
    elif kind != "Stepped":
        print(line_of(event), flush=True)
