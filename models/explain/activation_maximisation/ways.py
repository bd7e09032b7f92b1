"""Two ways to climb: in pixels, and in frequencies that look like those of natural images."""

from typing import Literal

import torch
from torch import Tensor

Method = Literal["fourier", "pixels"]

STEP = 0.1  # of an image in [0, 1], once the gradient has a root mean square of 1
NOISE = 20 / 255  # width of the grey noise to start from, as in Keras' example
CONTRAST = 0.35  # standard deviation of a finished picture; with 0.2 some filters answer it less

RATE = 0.1  # of Adam; twice that of lucid (Olah et al.), for fewer steps than its 512
SPREAD = (
    0.01  # standard deviation of the frequencies to start from; lucid's, as DAMPING and COLOURS
)
DAMPING = 4.0
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))  # of ImageNet's pixels
ZOOM = 0.1  # each step sees the image up to so much larger or smaller
SHIFT = 1 / 24  # and moved by so much of its side


class PixelWay:
    """Gradient ascent on the pixels (Chollet, 2016), as in Keras' example.

    The images are grey noise at first, 0.5 ± 0.04, and each step adds 0.1 times the gradient
    divided by its root mean square. They are not kept in [0, 1]: the ascent goes on for as long as
    the filter answers more. `finished` shifts and scales each to mean 0.5 and standard deviation
    0.35, and cuts off what is still outside of [0, 1].

    Args:
        num_images: Images that climb, from the same noise.
        shape: Of an image, (C, H, W).
        seed: Of the noise.
        device: Where the images are.
    """

    wakes_silent = False

    def __init__(
        self, num_images: int, shape: tuple[int, int, int], seed: int, device: torch.device
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        noise = 0.5 + NOISE * (torch.rand(shape, generator=generator) - 0.5)
        self.variable = noise.repeat(num_images, 1, 1, 1).to(device).requires_grad_()

    def seen(self) -> Tensor:
        """What the network is shown in the next step, which it may change."""
        return self.variable.clone()

    @torch.no_grad()
    def climb(self, gradient: Tensor) -> None:
        """Take a step."""
        size = gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        self.variable += STEP * gradient / size.clamp_min(torch.finfo(size.dtype).tiny)

    @torch.no_grad()
    def finished(self) -> Tensor:
        """The images in [0, 1]."""
        pixels = self.variable
        centred = pixels - pixels.mean(dim=(1, 2, 3), keepdim=True)
        size = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return (0.5 + CONTRAST * centred / size.clamp_min(torch.finfo(size.dtype).tiny)).clamp(0, 1)


class FourierWay:
    """Feature visualisation (Olah et al., 2017): frequencies, each as strong as in photographs.

    The variable is the spectrum of the image, scaled by one over the frequency; channels of RGB
    are mixed so that they are as independent as in photographs; a sigmoid keeps the image in
    [0, 1]. Each step moves and zooms the image a little, so that what remains is what the filter
    answers wherever it lies. Adam climbs.

    Args:
        num_images: Images that climb, from the same noise.
        shape: Of an image, (C, H, W).
        seed: Of the noise, and of how each step moves the image.
        device: Where the images are.
    """

    wakes_silent = True

    def __init__(
        self, num_images: int, shape: tuple[int, int, int], seed: int, device: torch.device
    ) -> None:
        channels, *self.size = shape
        height, width = self.size
        rows, columns = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
        frequencies = (rows.square() + columns.square()).sqrt().clamp_min(1 / max(self.size))
        self.scale = ((height * width) ** 0.5 / DAMPING / frequencies)[..., None].to(device)
        self.generator = torch.Generator().manual_seed(seed)
        noise = SPREAD * torch.randn(channels, *frequencies.shape, 2, generator=self.generator)
        self.variable = noise.repeat(num_images, 1, 1, 1, 1).to(device).requires_grad_()
        self.colours = torch.eye(channels, device=device)
        if channels == 3:
            mixed = torch.tensor(COLOURS, device=device)
            self.colours = mixed / mixed.norm(dim=0).max()
        self.optimizer = torch.optim.Adam([self.variable], RATE, eps=1e-12)

    def _images(self) -> Tensor:
        spectrum = torch.view_as_complex(self.variable * self.scale)
        pixels = torch.fft.irfft2(spectrum, s=tuple(self.size))
        return torch.einsum("nchw,dc->ndhw", pixels, self.colours).sigmoid()

    def seen(self) -> Tensor:
        """What the network is shown in the next step."""
        draws = (2 * torch.rand(4, generator=self.generator) - 1).tolist()
        images = self._images()
        rows, columns = (
            resampling(side, 1 + ZOOM * draws[0], SHIFT * side * draw).to(images)
            for side, draw in zip(self.size, draws[1:3], strict=True)
        )
        return rows @ images @ columns.mT

    def climb(self, gradient: Tensor) -> None:
        """Take a step."""
        self.variable.grad = -gradient
        self.optimizer.step()
        self.variable.grad = None

    @torch.no_grad()
    def finished(self) -> Tensor:
        """The images in [0, 1]."""
        return self._images()


Way = PixelWay | FourierWay


def resampling(size: int, zoom: float, shift: float) -> Tensor:
    """Matrix that zooms a line of pixels about its middle and moves it, round and round.

    A matrix product is deterministic on every device, which `grid_sample` is not.

    Args:
        size: Pixels of the line.
        zoom: Above 1 for larger.
        shift: In pixels.
    """
    pixels = torch.arange(size, dtype=torch.float32)
    middle = (size - 1) / 2
    places = (pixels - middle) / zoom + middle + shift
    distances = (places[:, None] - pixels + size / 2) % size - size / 2
    return (1 - distances.abs()).clamp_min(0)  # linear between two pixels
