"""Fluorescent nuclei that never were, with their ground truth."""

import numpy as np
import numpy.typing as npt

_PIXELS_PER_NUCLEUS = 2800
_RADIUS = 14.0
_DARK, _BACKGROUND, _SIGNAL = 100.0, 60.0, 900.0


def simulate_nuclei(
    shape: tuple[int, int] = (512, 512), n: int | None = None, seed: int = 0
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Simulate cell nuclei with a DNA stain under a fluorescence microscope.

    Nuclei of different size, shape, brightness and texture, many of them touching,
    under uneven illumination, with out-of-focus haze, blurred by the optics, with
    photon and camera noise. The same arguments give the same image.

    Parameters
    ----------
    shape : tuple of int
        Height and width in pixels.
    n : int, optional
        How many nuclei to place; by default one for each 2,800 pixels. Where there is
        no room left there are fewer.
    seed : int
        For the random numbers.

    Returns
    -------
    image : ndarray, (Y, X), uint16
        In camera counts; the offset is 100.
    labels : ndarray, (Y, X), uint16
        The ground truth: 0 is background, nuclei are 1, 2, 3, ...
    """
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    if n is None:
        n = max(1, shape[0] * shape[1] // _PIXELS_PER_NUCLEUS)
    labels, stain = _place(shape, n, rng)
    texture = gaussian_filter(rng.standard_normal(shape), 1.2) * 0.6
    texture += gaussian_filter(rng.standard_normal(shape), 4) * 1.2
    stain *= np.clip(1 + texture, 0.4, 1.6)
    light = gaussian_filter(stain, 1.1) + 0.12 * gaussian_filter(stain, 15)
    light = (light * _SIGNAL + _BACKGROUND) * _illumination(shape, rng)
    counts = rng.poisson(light * 0.5) / 0.5 + rng.normal(_DARK, 6, shape)
    return np.clip(counts, 0, 65535).astype(np.uint16), labels


def _place(
    shape: tuple[int, int], n: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float64]]:
    """Place nuclei one by one, about half of them beside an earlier one."""
    labels = np.zeros(shape, np.uint16)
    stain = np.zeros(shape)
    placed: list[tuple[float, float, float]] = []
    for _ in range(20 * n):
        if len(placed) == n:
            break
        radius = _RADIUS * rng.lognormal(0, 0.18)
        if placed and rng.random() < 0.55:
            y, x, other = placed[rng.integers(len(placed))]
            angle = rng.uniform(0, 2 * np.pi)
            y += np.sin(angle) * 0.97 * (radius + other)
            x += np.cos(angle) * 0.97 * (radius + other)
        else:
            y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        rows, columns, depth, size = _nucleus(shape, y, x, radius, rng)
        mask = depth > 0
        free = mask & (labels[rows, columns] == 0)
        # At the border at least a quarter must show; overlap stays a thin rim.
        if free.sum() < max(0.93 * mask.sum(), 0.25 * size):
            continue
        placed.append((y, x, radius))
        labels[rows, columns][free] = len(placed)
        brightness = rng.lognormal(-0.3, 0.3)
        stain[rows, columns] += brightness * np.clip(depth * 3, 0, 1) ** 0.5
    return labels, stain


def _nucleus(
    shape: tuple[int, int], y: float, x: float, radius: float, rng: np.random.Generator
) -> tuple[slice, slice, npt.NDArray[np.float64], float]:
    """Return a box, the depth below the nucleus' surface in it, and the whole area.

    The outline is an ellipse with slow bulges; the depth is 1 in the centre, 0 on the
    outline and less outside. A few nucleoli take some of the stain's depth away.
    """
    reach = int(radius * 1.8) + 1
    rows = slice(max(0, int(y) - reach), max(0, min(shape[0], int(y) + reach + 1)))
    columns = slice(max(0, int(x) - reach), max(0, min(shape[1], int(x) + reach + 1)))
    grid_y, grid_x = np.ogrid[rows, columns]
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(1.02, 1.35)
    along = (grid_x - x) * np.cos(turn) + (grid_y - y) * np.sin(turn)
    across = (grid_y - y) * np.cos(turn) - (grid_x - x) * np.sin(turn)
    angle = np.arctan2(across * stretch, along / stretch)
    outline = np.ones(np.shape(angle))
    for harmonic in (2, 3, 4):
        phase, size = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.12 / harmonic)
        outline += size * np.cos(harmonic * angle + phase)
    distance = np.hypot(across * stretch, along / stretch) / (radius * outline)
    depth = 1 - distance
    for _ in range(rng.integers(0, 4)):
        where, far = rng.uniform(0, 2 * np.pi), 0.7 * radius * rng.uniform(0, 1) ** 0.5
        spot = np.hypot(
            grid_y - y - far * np.sin(where), grid_x - x - far * np.cos(where)
        )
        hole = 1 - 0.5 * np.exp(-((spot / (0.13 * radius)) ** 2) / 2)
        depth = np.where(depth > 0, np.minimum(depth, 0.34) * hole, depth)
    return rows, columns, depth, np.pi * radius**2


def _illumination(
    shape: tuple[int, int], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return a bright spot off the centre that falls off to the corners."""
    y = np.linspace(-1, 1, shape[0])[:, np.newaxis] - rng.uniform(-0.4, 0.4)
    x = np.linspace(-1, 1, shape[1])[np.newaxis] - rng.uniform(-0.4, 0.4)
    return np.asarray(1.15 * np.exp(-(y**2 + x**2) / 2.2))
