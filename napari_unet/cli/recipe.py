"""Recipes: all that decides how a base model is trained, in a file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)

from napari_unet.annotation import ClassScheme
from napari_unet.errors import TrainingError, UnetError
from napari_unet.models import (
    Architecture,
    Model,
    ModelSpec,
    Normalisation,
    UNetArchitecture,
    adapt,
    build,
    load_model,
)
from napari_unet.models.spec import BEGAN_WITH, MOST_CHANNELS
from napari_unet.training.config import TrainConfig

if TYPE_CHECKING:
    from pathlib import Path


def _scheme(names: Any) -> ClassScheme:
    listed = TypeAdapter(list[str]).validate_python(names)
    if not listed:
        raise TrainingError('No class is named. Name one, e.g. classes = ["cell"].')
    return ClassScheme.named(*listed)


def _told(provenance: dict[str, str]) -> dict[str, str]:
    for name in BEGAN_WITH:
        if name in provenance:
            raise TrainingError(
                f"'{name}' under 'provenance' is written down by training itself. "
                "Leave it out, and give the model to begin with as --base."
            )
    return provenance


class Recipe(BaseModel):
    """The contents of a recipe.

    Attributes
    ----------
    name, description, channels, classes, architecture, normalisation, provenance
        Of the new model, as in `ModelSpec`; classes by their names, without background.
        Without an architecture it is the base model's.
    objects : bool
        Whether masks hold objects, and not the class of each pixel.
    training : TrainConfig
        How to train.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    description: str = ""
    channels: int = Field(1, ge=1, le=MOST_CHANNELS)
    classes: Annotated[ClassScheme, PlainValidator(_scheme)]
    objects: bool = True
    architecture: Architecture | None = None
    normalisation: Normalisation = Normalisation()
    provenance: Annotated[dict[str, str], AfterValidator(_told)] = {}
    training: TrainConfig = TrainConfig()

    @property
    def spec(self) -> ModelSpec:
        """The description of the model to be made."""
        return ModelSpec(
            name=self.name,
            description=self.description,
            channels=self.channels,
            classes=self.classes,
            architecture=self.architecture or UNetArchitecture(),
            normalisation=self.normalisation,
            provenance=self.provenance,
        )

    def config(self, **given: Any) -> TrainConfig:
        """Return how to train, with what was `given` on the command line."""
        return replace(self.training, **_chosen(given))

    def model(self, base: str, seed: int) -> Model:
        """Return the model to begin with; `base` is a name, a folder or "none"."""
        if base == "none":
            return build(self.spec, seed=seed)
        adapted = adapt(
            load_model(base),
            classes=self.classes,
            channels=self.channels,
            name=self.name,
            architecture=self.architecture,
            seed=seed,
        )
        words = {
            "description": self.description,
            "provenance": {**adapted.spec.provenance, **self.provenance},
        }
        return Model(adapted.spec.model_copy(update=words), adapted.net)


def settings(**given: Any) -> TrainConfig:
    """Return how to train, with the defaults where None is given."""
    return TrainConfig(**_chosen(given))


def _chosen(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def read_recipe(path: Path) -> Recipe:
    """Read a recipe, a TOML file.

    Raises
    ------
    TrainingError
        If it cannot be read; it names the entry that is wrong.
    """
    try:
        # Editors on Windows put a mark before the first letter.
        text = path.read_text(encoding="utf-8-sig")
        return Recipe.model_validate(tomllib.loads(text))
    except OSError as error:
        raise TrainingError(
            f"The recipe '{path}' cannot be read: {error.strerror}. Give the path of a "
            "TOML file."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise TrainingError(
            f"The recipe '{path}' is wrong at '{at}': {first['msg']}."
        ) from error
    except (ValueError, UnetError) as error:
        why = str(error).removesuffix(".")
        raise TrainingError(f"The recipe '{path}' is wrong: {why}.") from error
