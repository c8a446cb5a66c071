"""Run as a program: the engine, with `engine_test_jobs` for its jobs."""

from engine_test_jobs import JOBS

from napari_unet.engine.server import main

main(JOBS)
