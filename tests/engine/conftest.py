import pytest
import torch
from engine_command import COMMAND
from engine_desk import Desk
from engine_training_scene import Scene, base, train

from napari_unet.engine import Engine


@pytest.fixture
def engine(tmp_path):
    """An engine of one's own, to be killed or closed."""
    with Engine(tmp_path / "logs", COMMAND) as engine:
        yield engine


@pytest.fixture(scope="session")
def warm_engine(tmp_path_factory):
    """An engine shared by the tests that leave it running."""
    with Engine(tmp_path_factory.mktemp("logs"), COMMAND) as engine:
        yield engine


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def desk(tmp_path, one_thread):
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def scene(desk):
    scene = Scene(desk.share)
    desk.add(scene.add())
    return scene


@pytest.fixture
def training(desk, scene):
    """A training from a tiny model that has made two steps."""
    request = train(desk.folder, base(desk.folder))
    desk.add(scene.paint(0, 1), request)
    desk.steps(request, 2)
    return request
