# Everything happens in a virtual environment in .venv, made on first use.
#   make run     open napari with the sample image and a prediction
#   make test    the whole test suite
# PYTHON: which Python (3.11 or newer) the environment is made with.
# WORKERS: how many processes run the tests.
# TORCH:  what to install as torch, e.g. TORCH=torch==2.13.0

PYTHON ?= python3
TORCH ?= torch
VENV ?= .venv
WORKERS ?= 2
export QT_API ?= pyqt5
BIN := $(VENV)/bin

.PHONY: run test test-pyqt6 test-maskrcnn test-wheel lint format types contracts manifest check clean

run: $(VENV)/run.stamp
ifeq ($(shell [ "$$(uname)" != Linux ] || [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] && echo yes),yes)
	$(BIN)/python -m napari_unet.gui.demo
else
	.ci/with-display $(BIN)/python -m napari_unet.gui.demo --screenshot screenshot.png
endif

# The wheel's tests build and install everything once more: `make test-wheel`.
test: $(VENV)/dev.stamp
	.ci/with-display $(BIN)/python -m pytest -n $(WORKERS) -m "not wheel" $(ARGS)

test-pyqt6: $(VENV)/pyqt6.stamp
	QT_API=pyqt6 .ci/with-display $(BIN)/python -m pytest -n $(WORKERS) tests/gui $(ARGS)

# torchvision wants the torch that pip pairs it with, so it has an environment of its own.
test-maskrcnn: $(VENV)-maskrcnn/test.stamp
	$(VENV)-maskrcnn/bin/python -m pytest tests/nets/test_nets_maskrcnn.py \
		tests/nets/test_nets_convert.py $(ARGS)

test-wheel: $(VENV)/dev.stamp
	NAPARI_UNET_TORCH="$(TORCH)" $(BIN)/python -m pytest -m wheel $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(VENV)/dev.stamp
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp
	$(BIN)/lint-imports

manifest: $(VENV)/dev.stamp
	$(BIN)/npe2 validate napari.yaml

check: lint types contracts manifest

clean:
	rm -rf $(VENV) $(VENV)-maskrcnn build dist .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@# Debian's Python comes without what makes environments.
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/apt-install python3-venv
	$(PYTHON) -m venv $(VENV)

# torch first, so that the rest accepts the build that was asked for.
$(VENV)/torch.stamp: | $(BIN)/python
	$(BIN)/python -m pip install "$(TORCH)"
	touch $@

$(VENV)/run.stamp: pyproject.toml $(VENV)/torch.stamp
	$(BIN)/python -m pip install -e ".[pyqt5]"
	touch $@

$(VENV)/dev.stamp: pyproject.toml $(VENV)/torch.stamp
	$(BIN)/python -m pip install -e ".[pyqt5,dev]"
	touch $@ $(VENV)/run.stamp

$(VENV)-maskrcnn/test.stamp: pyproject.toml | $(BIN)/python
	$(PYTHON) -m venv $(VENV)-maskrcnn
	$(VENV)-maskrcnn/bin/python -m pip install torch torchvision
	$(VENV)-maskrcnn/bin/python -m pip install -e ".[pyqt5,maskrcnn,test]"
	touch $@

$(VENV)/pyqt6.stamp: $(VENV)/dev.stamp
	$(BIN)/python -m pip install -e ".[pyqt5,pyqt6,dev]"
	touch $@
