"""The order of work, without a process."""

import time
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_unet.engine import scheduler as engine_scheduler
from napari_unet.engine.messages import Done, Event, Failed, Request
from napari_unet.engine.scheduler import TURN, WAIT, Scheduler
from napari_unet.engine.state import State
from napari_unet.errors import AnnotationError
from napari_unet.inference.events import Cancelled


@dataclass(frozen=True)
class Long(Request):
    n: int


@dataclass(frozen=True)
class Slow(Request):
    """Each event is a turn."""

    n: int


@dataclass(frozen=True)
class Urgent(Request):
    n: int
    urgent = True


@dataclass(frozen=True)
class Refused(Request):
    pass


@dataclass(frozen=True)
class Stubborn(Request):
    """Fails when it is given up."""


@dataclass(frozen=True)
class Patient(Request):
    """Waits for the bell."""


@dataclass(frozen=True)
class Ring(Request):
    pass


def count(request, state):
    yield from range(request.n)


def count_slowly(request, state):
    for i in range(request.n):
        time.sleep(engine_scheduler.TURN)
        yield i


def patient(request, state):
    while not state.log.endswith("rung"):
        yield WAIT
    yield "heard"


def ring(request, state):
    state.log += "rung"
    yield from ()


def refuse(request, state):
    raise AnnotationError("Nothing is labelled.")


def stubborn(request, state):
    try:
        while True:
            yield "on"
    finally:
        raise AnnotationError("The file could not be put away.")


@pytest.fixture
def sent():
    return []


@pytest.fixture
def scheduler(sent):
    return made(sent)


def made(sent):
    jobs = {
        Long: count,
        Slow: count_slowly,
        Urgent: count,
        Refused: refuse,
        Stubborn: stubborn,
        Patient: patient,
        Ring: ring,
    }
    return Scheduler(jobs, State(log="engine.log"), sent.append)


def run(scheduler, steps=10_000):
    for _ in range(steps):
        if scheduler.idle:
            return
        scheduler.step()


def test_jobs_take_turns(scheduler, sent):
    a, b = Slow(3), Slow(2)
    scheduler.add(a)
    scheduler.add(b)
    run(scheduler)
    assert [m.id for m in sent] == [a.id, b.id, a.id, b.id, a.id, b.id, a.id]
    assert sent[-1] == Done(a.id)


def test_events_that_come_at_once_are_one_turn(scheduler, sent, monkeypatch):
    # Long for whatever else the machine does.
    monkeypatch.setattr(engine_scheduler, "TURN", 0.5)
    training, frames = Slow(2), [Long(3), Long(3)]
    scheduler.add(training)
    for frame in frames:
        scheduler.add(frame)
    run(scheduler)
    order = [m.id for m in sent]
    # The events and the end of both, after one step of training.
    ids = [frame.id for frame in frames]
    assert order == [training.id, *[ids[0]] * 4, *[ids[1]] * 4, *[training.id] * 2]


def test_a_job_without_end_leaves_others_their_turn(scheduler, sent):
    endless, other = Long(10**9), Long(1)
    scheduler.add(endless)
    scheduler.add(other)
    begin = time.monotonic()
    while Done(other.id) not in sent[-2:]:
        scheduler.step()
    assert time.monotonic() - begin < 100 * TURN


def test_who_looks_at_the_screen_goes_first(scheduler, sent):
    training, preview = Long(4), Urgent(2)
    scheduler.add(training)
    scheduler.step()
    scheduler.add(preview)
    run(scheduler)
    order = [m.id for m in sent]
    assert order == [training.id, *[preview.id] * 3, *[training.id] * 4]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=6))
def test_every_job_is_done_with_its_events_in_order(asked):
    sent = []
    scheduler = made(sent)
    requests = [(Urgent if urgent else Long)(n) for urgent, n in asked]
    for request in requests:
        scheduler.add(request)
    run(scheduler)
    for request in requests:
        answers = [m for m in sent if m.id == request.id]
        events = [Event(request.id, i) for i in range(request.n)]
        assert answers == [*events, Done(request.id)]


def test_a_cancelled_job_ends_before_its_next_event(scheduler, sent):
    a, b = Long(100), Long(1)
    scheduler.add(a)
    scheduler.add(b)
    scheduler.step()
    scheduler.cancel(a.id)
    scheduler.cancel(a.id)
    scheduler.cancel(12345678)
    run(scheduler)
    assert [m for m in sent if m.id == a.id] == [
        Event(a.id, 0),
        Event(a.id, Cancelled()),
        Done(a.id),
    ]
    assert sent[-1] == Done(b.id)


def test_a_job_can_be_cancelled_before_it_begins(scheduler, sent):
    job = Long(100)
    scheduler.add(job)
    scheduler.cancel(job.id)
    assert sent == [Event(job.id, Cancelled()), Done(job.id)]
    assert scheduler.idle


def test_a_job_that_is_refused_fails_alone(scheduler, sent):
    refused, other = Refused(), Long(1)
    scheduler.add(refused)
    scheduler.add(other)
    run(scheduler)
    assert sent[0] == Failed(refused.id, "AnnotationError", "Nothing is labelled.")
    assert sent[-1] == Done(other.id)


def test_a_failure_while_giving_up_is_told(scheduler, sent):
    job = Stubborn()
    scheduler.add(job)
    scheduler.step()
    scheduler.cancel(job.id)
    assert sent[-1].text == "The file could not be put away."
    assert scheduler.idle


def test_an_unknown_request_is_reported(scheduler, sent):
    request = Request()
    scheduler.add(request)
    assert sent[0].error == "EngineError"
    assert "report" in sent[0].text


def test_a_job_that_waits_leaves_the_engine_idle(scheduler, sent):
    waiting, bell = Patient(), Ring()
    scheduler.add(waiting)
    run(scheduler, 1)
    assert scheduler.idle
    scheduler.add(Long(3))
    run(scheduler)
    assert scheduler.idle
    assert not [m for m in sent if m.id == waiting.id]
    scheduler.add(bell)
    run(scheduler)
    assert sent[-2:] == [Event(waiting.id, "heard"), Done(waiting.id)]


@pytest.mark.parametrize("before", [0, 1, 2])
def test_whoever_waits_hears_what_was_asked_before_it_waited(scheduler, sent, before):
    waiting, other = Patient(), Long(before)
    scheduler.add(waiting)
    run(scheduler, 1)
    scheduler.add(other)
    run(scheduler, before)
    scheduler.add(Ring())
    run(scheduler)
    assert sent[-1] == Done(waiting.id)


def test_a_job_that_waits_can_be_cancelled(scheduler, sent):
    waiting = Patient()
    scheduler.add(waiting)
    run(scheduler, 1)
    scheduler.cancel(waiting.id)
    assert sent == [Event(waiting.id, Cancelled()), Done(waiting.id)]
