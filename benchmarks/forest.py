"""Pixel features and a random forest, what a user would pick instead of a net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.images import Image, choose_channels, measure_intensity
from napari_unet.instances import label_components

if TYPE_CHECKING:
    from napari_unet.training import TrainingImage


class Forest:
    """What a user would pick instead: pixel features and a random forest."""

    def __init__(self, images: list[TrainingImage], others: list[Image]) -> None:
        self._learn = [features(i.image) for i in images]
        self._others = [features(image) for image in others]

    def found(
        self, images: list[TrainingImage], seed: int
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Learn the strokes on `images`; return classes and objects of the others."""
        from skimage.future import TrainableSegmenter
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            n_estimators=100,
            max_depth=10,
            max_samples=0.5,
            n_jobs=-1,
            random_state=seed,
        )
        segmenter = TrainableSegmenter(clf=forest)
        labels = [i.annotation.scribbles.dense() for i in images]
        x = np.concatenate([f[s > 0] for f, s in zip(self._learn, labels, strict=True)])
        y = np.concatenate([s[s > 0] for s in labels])
        segmenter.clf.fit(x, y)
        found = [
            segmenter.clf.predict(f.reshape(-1, f.shape[-1])).reshape(f.shape[:2]) - 1
            for f in self._others
        ]
        return [(f, label_components(f.astype(np.uint8))) for f in found]


def features(image: Image) -> np.ndarray:
    """Return multiscale features ``(Y, X, features)``."""
    from skimage.feature import multiscale_basic_features

    n = 3 if image.n_channels >= 3 else 1
    channels = choose_channels(image, n)
    pixels = measure_intensity(image, channels).apply(
        image.read(image.whole(), channels)
    )
    return multiscale_basic_features(
        np.moveaxis(pixels, 0, -1), sigma_min=1, sigma_max=16, channel_axis=-1
    )
