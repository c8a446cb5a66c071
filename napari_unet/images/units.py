"""Lengths in micrometres, from the spellings that microscopes use."""

import math

_MICROMETRES = {
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "nanometre": 1e-3,
    "å": 1e-4,
    "angstrom": 1e-4,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
    "inch": 25400.0,
}


def micrometres(length: float, unit: str) -> float | None:
    """Convert a length; None where the unit is no length or the length makes no sense.

    ImageJ's way to write the letter µ, as an escape, is understood.
    """
    unit = unit.strip().replace("\\u00B5", "µ").lower()
    factor = _MICROMETRES.get(unit)
    if factor is None or not math.isfinite(length) or length <= 0:
        return None
    return length * factor
