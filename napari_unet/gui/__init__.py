"""One dock widget made of small panels; the only place that knows napari and Qt."""
