"""Pieces that panels are made of, and what they share of Qt and napari."""
