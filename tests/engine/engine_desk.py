"""The engine without its process, run by hand."""

from engine_training_scene import Answers

from napari_unet.engine.arrays import SharedArray
from napari_unet.engine.jobs import JOBS
from napari_unet.engine.scheduler import Scheduler
from napari_unet.engine.state import State
from napari_unet.training import Stepped


class Desk(Answers):
    """A scheduler with the engine's jobs, run by hand."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self._asked = []
        self.state = State(log="engine.log")
        self.scheduler = Scheduler(JOBS, self.state, self.sent.append)

    def share(self, array):
        return SharedArray.of(self.folder, array)

    def add(self, *requests):
        for request in requests:
            self._asked.append(request.id)
            self.scheduler.add(request)

    def ask(self, request):
        """Run until this request has ended; return its events."""
        self.add(request)
        while not self.ended(request):
            self.scheduler.step()
        return self.events(request)

    def steps(self, request, n):
        """Run until a training has made `n` more steps."""
        wanted = self.stepped(request) + n
        while self.stepped(request) < wanted:
            assert not self.ended(request), self.sent[-1]
            self.scheduler.step()

    def stepped(self, request):
        return sum(isinstance(e, Stepped) for e in self.events(request))

    def close(self):
        """Give up what is still under way."""
        for asked in self._asked:
            self.scheduler.cancel(asked)

    def rest(self):
        """Run until there is nothing to do."""
        while not self.scheduler.idle:
            self.scheduler.step()
