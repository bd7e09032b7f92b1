"""Kinds of files that are no images, or images that are not read: what to call each of them."""

from pathlib import Path

from datamodules.sources.image_limits import UnreadableImageError, open_file

HEIF_EXTENSIONS = {".heic", ".heif", ".hif"}
HEIF_EXTRA = (
    "pip install 'lightning-image-classification[heif]', or in a checkout: uv sync --extra heif"
)
RAW = "a RAW photograph"
UNREAD = {  # images that are left out, by their endings
    **dict.fromkeys((".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"), RAW),
    **dict.fromkeys((".dcm", ".dicom"), "a DICOM image"),
    **dict.fromkeys((".nii", ".mha", ".nrrd"), "a medical volume"),
    **dict.fromkeys((".svg", ".svgz"), "an SVG drawing"),
    **dict.fromkeys((".psd", ".psb"), "a Photoshop document"),
    **dict.fromkeys((".jxl",), "a JPEG XL image"),
    **dict.fromkeys((".jxr", ".wdp"), "a JPEG XR image"),
    **dict.fromkeys((".exr",), "an OpenEXR image"),
    **dict.fromkeys((".hdr",), "a Radiance image"),
    **dict.fromkeys((".dds",), "a DDS texture"),
    **dict.fromkeys((".tga",), "a TGA image"),
    **dict.fromkeys((".pcx",), "a PCX image"),
    **dict.fromkeys((".ico", ".cur"), "a Windows icon"),
    **dict.fromkeys((".icns",), "a macOS icon"),
    **dict.fromkeys((".eps", ".ai"), "a PostScript drawing"),
    **dict.fromkeys((".xcf",), "a GIMP image"),
    **dict.fromkeys((".fits", ".fit"), "a FITS image"),
    **dict.fromkeys((".j2k", ".jpf", ".jpx", ".j2c", ".jpc"), "a JPEG 2000 image (not .jp2)"),
    **dict.fromkeys((".apng",), "an animated PNG (not .png)"),
    **dict.fromkeys((".mpo", ".jps"), "a stereo photograph (not .jpg)"),
    **dict.fromkeys((".pam", ".pfm"), "a PAM or PFM image"),
    **dict.fromkeys((".qoi",), "a QOI image"),
    **dict.fromkeys((".jls", ".jxs"), "a JPEG-LS or JPEG XS image"),
    **dict.fromkeys((".svs", ".ndpi", ".scn", ".mrxs", ".vsi", ".czi"), "a microscope's image"),
    **dict.fromkeys((".btf", ".tf8"), "a TIFF image (not .tif)"),
    **dict.fromkeys((".avifs",), "an animated AVIF (not .avif)"),
    **dict.fromkeys((".npy", ".npz"), "a NumPy array"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"), "a video"),
}
STARTS = {
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself: run `git lfs pull`",
    b"PK\x03\x04": "a zip archive or an office document",
    b"PK\x05\x06": "a zip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"8BPS": "a Photoshop document",
    b"gimp xcf": "a GIMP image",
    b"v/1\x01": "an OpenEXR image",
    b"#?RADIANCE": "a Radiance image",
    b"#?RGBE": "a Radiance image",
    b"\xff\x0a": "a JPEG XL image",
    b"\0\0\0\x0cJXL ": "a JPEG XL image",
    b"II\xbc": "a JPEG XR image",
    b"DDS ": "a DDS texture",
    b"icns": "a macOS icon",
    b"\0\0\1\0": "a Windows icon",
    b"FUJIFILMCCD-RAW": RAW,
    b"IIRO": RAW,
    b"IIU\0": RAW,
    b"SIMPLE  =": "a FITS image",
    b"P7\n": "a PAM image",
    b"PF\n": "a PFM image",
    b"qoif": "a QOI image",
    b"\xff\xd8\xff\xf7": "a JPEG-LS image",
    b"\x1aE\xdf\xa3": "a video",
    b"\0\0\1\xba": "a video",
    b"FLV": "a video",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"\0\5\x16\7": "macOS's notes about a file, not the file itself",
    b"\x7fELF": "a program",
    b"MZ": "a program for Windows",
    b"SQLite": "an SQLite database",
    b"ID3": "a sound",
}
BRANDS = {  # of ISO media files
    b"crx ": RAW,
    b"jxl ": "a JPEG XL image",
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "a HEIF image"
    ),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF image"),
}
IMAGES = {  # that are read
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89PNG": "a PNG image",
    b"GIF8": "a GIF image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"\0\0\0\x0cjP": "a JPEG 2000 image",
}
WITHOUT_PIXELS = {  # endings of files beside images, which are not opened
    *(".txt", ".xml", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".toml", ".ini", ".xmp"),
    *(".md", ".html", ".htm", ".log", ".py", ".ipynb", ".sh", ".lock", ".db", ".url", ".lnk"),
}
READ = {*IMAGES.values(), "a HEIF image", "an AVIF image", "a WebP image"}
BYTES = 512  # that are enough to tell


def kind_of(data: bytes) -> str:
    """What a file is that starts with these bytes, such as `a PDF document`; empty if unknown."""
    if data[4:8] == b"ftyp":
        return BRANDS.get(data[8:12], "a video")
    if data.startswith(b"RIFF"):
        return {b"AVI ": "a video", b"WAVE": "a sound", b"WEBP": "a WebP image"}.get(data[8:12], "")
    if data[128:132] == b"DICM":
        return "a DICOM image"
    for start, kind in {**STARTS, **IMAGES}.items():
        if data.startswith(start):
            return kind
    return _text_kind(data[:BYTES])


def image_kind(file: Path) -> str:
    """What kind of image, archive or video a file is that is left out; empty for another file."""
    if known := UNREAD.get(file.suffix.lower()):
        return known
    if file.suffix.lower() in HEIF_EXTENSIONS:
        return f"a HEIF image (to read it: {HEIF_EXTRA})"
    if file.suffix.lower() in WITHOUT_PIXELS:
        return ""
    try:
        with open_file(file) as stream:
            kind = kind_of(stream.read(BYTES))
    except (OSError, UnreadableImageError):
        return ""
    if not kind.endswith((" image", RAW)):
        return ""
    ending = f"with the ending {file.suffix}" if file.suffix else "without its ending"
    return f"{kind} {ending}"


def _text_kind(data: bytes) -> str:
    if not data.strip(b"\0"):
        return "a file of zeros: it was not copied completely" if data else ""
    lower = data.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in lower and lower.startswith(b"<"):
        return "an SVG drawing"
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in lower:
        return "a web page, as a server sends in place of a file"
    if lower.startswith((b"<?xml", b"{", b"[")):
        return "an XML document" if lower.startswith(b"<") else "a JSON document"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = data[: error.start].decode() if error.start >= len(data) - 4 else ""
    return "a text" if text and all(char.isprintable() or char.isspace() for char in text) else ""
