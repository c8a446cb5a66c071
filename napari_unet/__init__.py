"""Segment cells in napari with a U-Net that learns while you paint."""

__version__ = "0.1.0"
