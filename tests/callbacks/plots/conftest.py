"""What several tests of figures need."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots.legible import legible


@pytest.fixture
def fits():
    """Whether everything that is drawn lies within the figure's edges."""

    def check(figure):
        FigureCanvasAgg(legible(figure)).draw()
        drawn, page = figure.get_tightbbox(), figure.get_size_inches()
        return min(drawn.x0, drawn.y0) > -0.01 and (drawn.max <= page + 0.01).all()

    return check
