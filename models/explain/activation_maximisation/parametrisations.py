"""Parametrisations of the maximised images: pixels, and frequencies as in natural images."""

from typing import Literal

import torch
from torch import Tensor

from models.full_precision import full_precision

Method = Literal["fourier", "pixels"]

STEP = 0.1  # factor of the gradient, after it is scaled to a root mean square of 1
NOISE = 20 / 255  # width of the initial grey noise, as in Keras' example
CONTRAST = 0.35  # standard deviation of a final image; with 0.2 some filters are activated less

RATE = 0.1  # of Adam; twice that of lucid (Olah et al.), for fewer steps than its 512
SPREAD = 0.01  # standard deviation of the initial frequencies; from lucid, as the next two
DAMPING = 4.0
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))  # of ImageNet's pixels
ZOOM = 0.1  # each step scales the image by up to this share
SHIFT = 1 / 24  # and shifts it by up to this share of its side


class PixelParametrisation:
    """Gradient ascent on the pixels (Chollet, 2016), as in Keras' example.

    The images start as grey noise, 0.5 ± 0.04, and each step adds 0.1 times the gradient divided by
    its root mean square. They are not limited to [0, 1] meanwhile. `final_images` shifts and scales
    each to mean 0.5 and standard deviation 0.35, and clips it to [0, 1].

    Args:
        num_images: Number of images, which start from the same noise.
        shape: Shape of an image, (C, H, W).
        seed: Seed of the noise.
        device: Where the images are.
    """

    revives_dead = False

    def __init__(
        self, num_images: int, shape: tuple[int, int, int], seed: int, device: torch.device
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        noise = 0.5 + NOISE * (torch.rand(shape, generator=generator) - 0.5)
        self.variable = noise.repeat(num_images, 1, 1, 1).to(device).requires_grad_()

    def current_images(self) -> Tensor:
        """Input of the network in the next step, a copy."""
        return self.variable.clone()

    @torch.no_grad()
    def step(self, gradient: Tensor) -> None:
        """Take a step along the gradient of the objective."""
        size = gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        self.variable += STEP * gradient / size.clamp_min(torch.finfo(size.dtype).tiny)

    @torch.no_grad()
    def final_images(self) -> Tensor:
        """The images in [0, 1]."""
        pixels = self.variable
        centred = pixels - pixels.mean(dim=(1, 2, 3), keepdim=True)
        size = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return (0.5 + CONTRAST * centred / size.clamp_min(torch.finfo(size.dtype).tiny)).clamp(0, 1)


class FourierParametrisation:
    """Feature visualisation (Olah et al., 2017): frequencies, each as strong as in photographs.

    The variable is the spectrum of the image, scaled by one over the frequency. The RGB channels
    are decorrelated as in photographs, and a sigmoid keeps the image in [0, 1]. Each step shifts
    and scales the image a little, so that the result does not depend on exact positions. The
    optimizer is Adam.

    Args:
        num_images: Number of images, which start from the same noise.
        shape: Shape of an image, (C, H, W).
        seed: Seed of the noise, and of the shifts and scales.
        device: Where the images are.
    """

    revives_dead = True

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

    @full_precision
    def _images(self) -> Tensor:
        spectrum = torch.view_as_complex(self.variable * self.scale)
        pixels = torch.fft.irfft2(spectrum, s=tuple(self.size))
        return torch.einsum("nchw,dc->ndhw", pixels, self.colours).sigmoid()

    @full_precision
    def current_images(self) -> Tensor:
        """Input of the network in the next step, shifted and scaled at random."""
        draws = (2 * torch.rand(4, generator=self.generator) - 1).tolist()
        images = self._images()
        rows, columns = (
            resampling(side, 1 + ZOOM * draws[0], SHIFT * side * draw).to(images)
            for side, draw in zip(self.size, draws[1:3], strict=True)
        )
        return rows @ images @ columns.mT

    def step(self, gradient: Tensor) -> None:
        """Take a step along the gradient of the objective."""
        self.variable.grad = -gradient
        self.optimizer.step()
        self.variable.grad = None

    @torch.no_grad()
    def final_images(self) -> Tensor:
        """The images in [0, 1]."""
        return self._images()


Parametrisation = PixelParametrisation | FourierParametrisation


def resampling(size: int, zoom: float, shift: float) -> Tensor:
    """Matrix that scales a line of pixels about its centre and shifts it, wrapping around.

    A matrix product is deterministic on every device, which `grid_sample` is not.

    Args:
        size: Number of pixels.
        zoom: Scale factor.
        shift: In pixels.
    """
    pixels = torch.arange(size, dtype=torch.float32)
    middle = (size - 1) / 2
    places = (pixels - middle) / zoom + middle + shift
    distances = (places[:, None] - pixels + size / 2) % size - size / 2
    return (1 - distances.abs()).clamp_min(0)  # linear between two pixels
