"""Requests from several threads, cancelling and shared arrays, to a real process."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import engine_test_jobs as jobs
import numpy as np
import pytest

from napari_unet.engine import Engine
from napari_unet.errors import EngineError
from napari_unet.inference.events import Cancelled


def test_threads_get_their_own_answers(warm_engine):
    with ThreadPoolExecutor(8) as pool:
        asked = [jobs.Count(n) for n in range(30)]
        answers = list(pool.map(lambda r: list(warm_engine.request(r)), asked))
    assert answers == [list(range(n)) for n in range(30)]


def test_cancelling_from_another_thread(warm_engine):
    request = jobs.Count(10**6, 0.001)
    events = []
    for event in warm_engine.request(request):
        events.append(event)
        if event == 2:
            threading.Thread(target=warm_engine.cancel, args=(request.id,)).start()
    assert events[-1] == Cancelled()
    assert events[:-1] == list(range(len(events) - 1))
    assert warm_engine.ask(jobs.Glance()) == request.id


def test_cancelling_before_the_request_is_sent(warm_engine):
    request = jobs.Count(10**6, 0.001)
    warm_engine.cancel(request.id)
    assert list(warm_engine.request(request))[-1] == Cancelled()


def test_walking_away_cancels(warm_engine):
    request = jobs.Count(10**6, 0.001)
    for _ in warm_engine.request(request):
        break
    assert warm_engine.ask(jobs.Glance()) == request.id


def test_a_glance_does_not_wait_for_a_long_job(warm_engine):
    long = warm_engine.request(jobs.Count(10**6, 0.001))
    assert next(long) == 0
    warm_engine.ask(jobs.Glance())
    assert next(long) == 1
    long.close()


def test_arrays_are_shared(warm_engine):
    pixels = np.arange(600, dtype=np.int32).reshape(20, 30)
    source = warm_engine.share(pixels)
    target = warm_engine.array((20, 30), np.int32)
    result = target.open()
    for row in warm_engine.request(jobs.Double(source, target)):
        np.testing.assert_array_equal(result[row], 2 * pixels[row])
    source.remove()
    target.remove()
    np.testing.assert_array_equal(result, 2 * pixels)


def test_closing_does_not_wait_for_a_process_that_never_answers(tmp_path):
    engine = Engine(tmp_path, (sys.executable, "-c", "import time; time.sleep(1000)"))
    with ThreadPoolExecutor(2) as pool:
        started = pool.submit(engine.start)
        with pytest.raises(TimeoutError):
            started.result(1)
        pool.submit(engine.close).result(60)
        with pytest.raises(EngineError, match="closed"):
            started.result(60)
