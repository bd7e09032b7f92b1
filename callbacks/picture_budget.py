"""Picture budget: which pictures a fit can afford, by counted work instead of the clock."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_info

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures.allowance import Allowance
from callbacks.pictures.picture import Picture
from callbacks.trainer_parts import ImageData
from models import ImageClassifier
from models.explain.work import counted_operations, speed_of

# Seconds on a typical device that are not arithmetic of the network.
FIGURE_SECONDS = 0.15  # to draw and store a figure
USUAL = 2 / 3  # share of the figures that a picture may have and that most fits draw
IMAGE_SECONDS = 2e-4  # to load a training image
END_SECONDS = 20.0  # of pictures at the end of a fit, however short it was
SMALL_SECONDS = 3.0  # of all pictures at their smallest: the first ones are drawn in any fit
PASSES = 3  # a training step costs as much as three forward passes


class PictureBudget:
    """Compares the work of pictures with that of training.

    Both are estimated in operations: those of the network are counted, and drawing a figure counts
    as a fixed number. So two fits with one configuration draw the same pictures on the same kind
    of device, however busy the machine is.

    Args:
        share: Share of the work of training that pictures may take, in [0, 1].

    Attributes:
        thinned: Whether a picture was skipped.
        put_off: Pictures that are not drawn at the end, and the share of the work of training that
            even their smallest version would take.

    Raises:
        ValueError: If the share is out of range.
    """

    def __init__(self, share: float) -> None:
        if not 0 <= share <= 1:
            raise ValueError(
                f"pictures.budget is {share:g}; expected a number from 0 (no pictures) to 1."
            )
        self.share, self.thinned = share, False
        self._costs: dict[Picture, float] = {}  # of each picture the last time
        self._spent = self._training = 0.0
        self.put_off: dict[Picture, float] = {}
        self._allowances: dict[Picture, Allowance] = {}  # at the end
        self._early: dict[Picture, Allowance] = {}  # before, one for all epochs
        self._pass = 1.0  # operations of a forward pass of an image

    def begin(
        self,
        trainer: Trainer,
        model: ImageClassifier,
        data: ImageData,
        pictures: Sequence[Picture],
    ) -> None:
        """Estimate the work of an epoch of training, and of pictures, from one image."""
        self._pictures = pictures
        self._speed = speed_of(trainer.strategy.root_device)
        image = data.sample(1)[0].to(trainer.strategy.root_device)
        with inspection_mode(model), torch.no_grad(), counted_operations() as counter:
            model(image)
        number, self._pass = len(data.sources["train"]), max(counter.operations, 1)
        self._training = number * (PASSES * counter.operations + IMAGE_SECONDS * self._speed)
        self._spent, self.first_epoch = 0.0, trainer.current_epoch

    def end(self, epoch: int) -> list[Picture]:
        """Set the limit of the pictures at the end of a fit, whose last epoch was this one.

        Returns:
            The pictures to draw. If not even the smallest versions of all keep to the limit, the
            last ones that take work of the network are put off.
        """
        trained = self._training * (epoch + 1 - self.first_epoch)
        least = self._spent + self._drawing(self._pictures) + END_SECONDS * self._speed
        self._limit, drawn = max(self.share * trained, least), list(self._pictures)
        for picture in reversed(self._pictures):
            left = self._limit - self._spent - self._drawing(drawn)
            if picture.fewest_passes and self._least(drawn) > left:
                self.put_off[picture] = self._least([picture]) / max(trained, 1.0)
                drawn.remove(picture)
        return drawn

    def allowance(self, pictures: Sequence[Picture]) -> Allowance:
        """What the first of the pictures that are still to be drawn at the end may take."""
        left = self._limit - self._spent - self._drawing(pictures)
        self._allowances[pictures[0]] = self._shared(left, pictures, pictures[0])
        return self._allowances[pictures[0]]

    def early_allowance(
        self, picture: Picture, due: Sequence[Picture], max_epochs: int | None
    ) -> Allowance:
        """What a picture may take while training; the same at all epochs, which are compared.

        Args:
            picture: The picture.
            due: The pictures that are due when it is drawn for the first time.
            max_epochs: The planned number of epochs.
        """
        if picture not in self._early:
            drawing = self._drawing([*due, *self._pictures])
            planned = (max_epochs or self.first_epoch + 1) - self.first_epoch
            short = drawing + END_SECONDS * self._speed
            left = max(self.share * self._training * planned, short) - drawing
            least = self._least(due)
            half = (left - least - self._least(self._pictures)) / 2  # the rest is for the end
            self._early[picture] = self._shared(least + half, due, picture)
        return self._early[picture]

    def _shared(self, left: float, pictures: Sequence[Picture], picture: Picture) -> Allowance:
        """What one of some pictures may take: its least, and an equal part of what is left."""
        costly = sum(picture.costly for picture in pictures)
        more = max(left - self._least(pictures), 0.0) / max(costly, 1)
        return Allowance(picture.fewest_passes + more / self._pass)

    def _least(self, pictures: Sequence[Picture]) -> float:
        """Operations of the network that the smallest versions of pictures take."""
        return self._pass * sum(picture.fewest_passes for picture in pictures)

    @property
    def shortened(self) -> list[str]:
        """Names of the pictures at the end that had to do with fewer images or steps."""
        found = self._allowances.items()
        return [picture.name for picture, allowance in found if allowance.exhausted]

    def _drawing(self, pictures: Sequence[Picture]) -> float:
        """Operations for which the drawing of figures counts, about."""
        figures = sum(len(kind.figures) or 1 for picture in pictures for kind in picture.kinds)
        return FIGURE_SECONDS * USUAL * figures * self._speed

    @contextmanager
    def charged(self, picture: Picture) -> Iterator[list[str]]:
        """Count the work of drawing a picture; the names of its figures go into the list."""
        figures: list[str] = []
        with counted_operations() as counter:
            yield figures
        seconds = FIGURE_SECONDS * len(figures)
        self._costs[picture] = counter.operations + seconds * getattr(self, "_speed", 0.0)
        self._spent += self._costs[picture]

    def allows(self, picture: Picture, epoch: int, max_epochs: int | None) -> bool:
        """Whether a picture may be drawn now, given that all are drawn once more at the end."""
        planned = max(max_epochs or 0, epoch + 1) - self.first_epoch
        undrawn = [other for other in self._pictures if other not in self._costs]
        cost = self._least(undrawn) + sum(self._costs.values())
        if picture in self._costs:
            cost, small = cost + self._costs[picture], False
        else:
            cost += self._least([picture]) + self._drawing([picture, *undrawn])
            small = self._least(self._pictures) <= SMALL_SECONDS * self._speed
        enough = small or self._spent + cost <= self.share * self._training * planned
        if not enough and not self.thinned:
            self.thinned = True
            rank_zero_info(
                f"Pictures may take {100 * self.share:g}% of the work of training "
                "(pictures.budget), so some are skipped. All of them are drawn when training ends."
            )
        return enough
