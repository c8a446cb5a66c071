"""Two dock widgets made of small ones; the only place that knows napari and Qt."""
