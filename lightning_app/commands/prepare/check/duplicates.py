"""Near duplicates, found without comparing all pairs of images."""

import math

import cv2
import numpy as np
from tqdm import tqdm

MIN_BAND = 8  # bits: hashes that differ in at most 7 bits agree in one of eight bands
BUCKET = 64  # hashes that agree in a band; large datasets need wider bands
MAX_BUCKET = 256  # neighbours that a hash is compared with, which keeps the time linear
MAX_DISTANCE = 12  # bits in which the hashes of near duplicates may differ
# Compared by areas alone, two skies are copies; by details alone, two images of one texture. With
# both, all 67 pairs that are found among 5,000 faces of FER2013 are visibly copies.
MIN_SIMILARITY = 0.94  # correlation of the 8 x 8 areas of near duplicates
MIN_DETAIL_SIMILARITY = 0.78  # correlation of the remainder without the areas
MIN_DETAIL = 1.5  # grey levels; fog and darkness have too little detail to recognise copies
COMPARED_AT_ONCE = 4096  # pairs, at most 200 MB
PATIENCE = 2  # seconds before a progress bar appears


def near_pairs(thumbnails: np.ndarray) -> np.ndarray:
    """Pairs of images of which one is nearly equal to the other, or to its mirror image.

    Areas and details have to agree, whatever brightness and contrast are. This finds copies that
    were scaled, stretched, compressed, brightened or darkened, but not cropped or rotated ones.

    Args:
        thumbnails: RGB, (N, 32, 32, 3) uint8.

    Returns:
        Indices, (pairs, 2), the smaller first.
    """
    number = len(thumbnails)
    areas = _areas(thumbnails)
    looks = _standardised(np.concatenate([areas, areas[:, :, ::-1]]))  # the second half is mirrored
    hashes = [difference_hashes(thumbnails), difference_hashes(thumbnails[:, :, ::-1])]
    left, right = _candidates(np.concatenate(hashes))
    kept = (left < number) & (left != right % number)  # mirrored pairs repeat the others
    left, right = left[kept], right[kept]
    similar = np.zeros(len(left), dtype=bool)
    starts = range(0, len(left), COMPARED_AT_ONCE)
    for start in tqdm(starts, "comparing pairs", delay=PATIENCE, leave=False):
        part = slice(start, start + COMPARED_AT_ONCE)
        alike = _products(looks[left[part]], looks[right[part]]) >= MIN_SIMILARITY
        mirrored = right[part][alike] >= number
        others = thumbnails[right[part][alike] % number]
        others[mirrored] = others[mirrored][:, :, ::-1]
        alike[alike] = _same_detail(thumbnails[left[part][alike]], others)
        similar[part] = alike
    pairs = np.stack([left, right % number], axis=1)[similar]
    return np.unique(np.sort(pairs, axis=1), axis=0)


def difference_hashes(thumbnails: np.ndarray) -> np.ndarray:
    """64 bits per image, (N,) uint64: where a small grey version gets brighter to the right."""
    size = (9, 8)
    bits = np.zeros((len(thumbnails), 64), dtype=np.uint8)
    for index, thumbnail in enumerate(thumbnails):
        grey = cv2.cvtColor(np.ascontiguousarray(thumbnail), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.int16)
        bits[index] = (np.diff(small, axis=1) > 1).ravel()  # noise makes equal areas differ by 1
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel()


def _candidates(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of hashes that agree in one band and differ in few bits, the smaller index first."""
    found = [np.empty(0, dtype=np.int64)]  # both indices in one number: less to sort
    # With this many bits, evenly spread hashes make buckets of about `BUCKET`.
    bits = max(MIN_BAND, math.ceil(math.log2(max(len(hashes), 1) / BUCKET)))
    for start in range(0, 64 - bits + 1, bits):
        turned = hashes << np.uint64(start) | hashes >> np.uint64(64 - start) if start else hashes
        order = np.argsort(turned)
        turned = turned[order]
        band = turned >> np.uint64(64 - bits)
        for step in range(1, min(MAX_BUCKET, len(hashes))):
            same = np.flatnonzero(band[step:] == band[:-step])
            if not len(same):
                break
            differing = (turned[same] ^ turned[same + step]).view(np.uint8).reshape(-1, 8)
            same = same[np.unpackbits(differing, axis=1).sum(axis=1) <= MAX_DISTANCE]
            one, other = order[same], order[same + step]
            found.append(np.minimum(one, other) * len(hashes) + np.maximum(one, other))
    left, right = np.divmod(np.unique(np.concatenate(found)), max(len(hashes), 1))
    return left, right


def _same_detail(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether each pair has enough detail, and the details agree, (N,) bool."""
    left, right = _detail(left), _detail(right)
    visible = np.minimum(left.std(axis=(1, 2, 3)), right.std(axis=(1, 2, 3))) >= MIN_DETAIL
    alike = _products(_standardised(left), _standardised(right)) >= MIN_DETAIL_SIMILARITY
    return visible & alike


def _areas(images: np.ndarray) -> np.ndarray:
    """The means of blocks of 4 x 4 pixels, (N, 8, 8, 3) float32."""
    return images.reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4), dtype=np.float32)


def _detail(images: np.ndarray) -> np.ndarray:
    """The images minus their areas, (N, 32, 32, 3) float32."""
    return images - _areas(images).repeat(4, axis=1).repeat(4, axis=2)


def _standardised(images: np.ndarray) -> np.ndarray:
    """Images as vectors of mean 0 and length 1 (or 0), so that products are correlations."""
    vectors = images.reshape(len(images), math.prod(images.shape[1:]))
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def _products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", left, right)
