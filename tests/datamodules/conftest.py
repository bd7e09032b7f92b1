import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def write_image():
    """Write a picture of one colour."""

    def write(file, color=(200, 100, 50), size=(20, 10), **options):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((size[1], size[0], 3), color, np.uint8)).save(file, **options)
        return file

    return write
