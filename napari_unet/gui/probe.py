"""Open a window with OpenGL as napari does and print what it is drawn with.

``napari-unet doctor`` runs it in a process of its own: a Qt without a usable display
or OpenGL ends its process.
"""

from qtpy import API_NAME, QT_VERSION
from vispy import app
from vispy.gloo import gl


def main() -> None:
    """Print one line: versions, driver and the largest texture in pixels."""
    app.use_app(API_NAME.lower())
    with app.Canvas(size=(64, 64), show=True) as canvas:
        canvas.set_current()
        version = gl.glGetParameter(gl.GL_VERSION)
        renderer = gl.glGetParameter(gl.GL_RENDERER)
        texture = gl.glGetParameter(gl.GL_MAX_TEXTURE_SIZE)
    print(
        f"{version} on {renderer}, images up to {texture} pixels along a side, "
        f"through {API_NAME} (Qt {QT_VERSION})"
    )


if __name__ == "__main__":
    main()
