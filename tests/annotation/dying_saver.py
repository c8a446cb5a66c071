"""A process whose children die in the middle of saving; see the storage's tests."""

import json
import os
import signal
import sys

from napari_unet.annotation import AnnotationStore, ClassScheme, archive, storage
from napari_unet.images import Region, whole

FILES = {storage.__file__, archive.__file__, whole.__file__}


def die_at(step):
    """Kill this process, as nothing can prevent, at the `step`-th line of saving."""
    left = step

    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def main(folder):
    """Save a longer and longer stroke, dying one line later each time."""
    scheme = ClassScheme.named("nucleus")
    first = AnnotationStore(folder)
    annotation, _ = first.load("image")
    old, seen, step = int(annotation.counts(2).sum()), [], 0
    while True:
        step += 1
        annotation.write_scribbles(Region(9, 0, 10, step), 2)
        new = int(annotation.counts(2).sum())
        child = os.fork()
        if child == 0:
            store = AnnotationStore(folder)
            store.load("image")
            die_at(step)
            store.save("image", annotation, scheme, "a picture")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        found = int(first.load("image")[0].counts(2).sum())
        assert found in (old, new), (step, old, found, new)
        seen.append(found == new)
        old = found
        for left_over in first.path("image").parent.glob(".*.unfinished"):
            left_over.unlink()
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1])
