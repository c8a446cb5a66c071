"""``python -m napari_unet.engine``: started by `Engine`, not by hand."""

from napari_unet.engine.server import main

main()
