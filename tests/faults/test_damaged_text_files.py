"""YAML and CSV files that are damaged, or made to exhaust their reader."""

import bz2
import gzip
import io
import tarfile
import zipfile

import pytest

from datamodules.augmentation.load import load_augmentation
from datamodules.tables.pixels import has_pixels
from datamodules.tables.table import read_table
from datamodules.yaml_file import read_yaml_text

ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
YAML = {
    "aliases": (ALIASES, r"line 6: more than 100,000 values, counting each alias"),
    "itself": ("a: &a\n  b: *a\n", r"line 2: \*a refers to itself"),
    "brackets": ("a: " + "[" * 5_000, r"line 1: more than 100 lists and mappings"),
    "closed": ("a: " + "[" * 5_000 + "]" * 5_000, r"line 1: more than 100 lists"),
    "mappings": ("a: " + "{a: " * 5_000 + "}" * 5_000, r"line 1: more than 100 lists"),
    "indented": ("".join(f"{' ' * n}a:\n" for n in range(500)), r"more than 100 lists"),
    "null byte": ("data: x\0y", r"is not text: it has the character"),
    "latin": ("data: caf\xe9".encode("latin-1"), r"is not UTF-8; save it as UTF-8"),
    "utf-16": ("data: x".encode("utf-16"), r"is not UTF-8; save it as UTF-8"),
}


@pytest.fixture(params=YAML.items(), ids=list(YAML))
def yaml_file(request, tmp_path):
    content, message = request.param[1]
    file = tmp_path / "config.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file, message


def test_yaml_file_is_refused_with_its_name(yaml_file):
    file, message = yaml_file
    with pytest.raises(ValueError, match=rf"config\.yaml.*{message}"):
        read_yaml_text(file)
    with pytest.raises(ValueError, match=rf"config\.yaml.*{message}"):
        load_augmentation(str(file))


@pytest.mark.parametrize(
    "command", [("fit", "--config"), ("suspects", "--config"), ("ablate",)], ids=lambda c: c[0]
)
def test_every_command_refuses_the_file(yaml_file, refused, command):
    error = refused(*command, yaml_file[0])
    assert str(yaml_file[0]) in error
    assert len(error.splitlines()) <= 3


def test_ordinary_aliases_are_allowed(tmp_path):
    text = "a: &a [1, 2]\nb: *a\nc: {d: *a}\n"
    (tmp_path / "a.yaml").write_text(text)
    assert read_yaml_text(tmp_path / "a.yaml") == text


def zipped(*contents):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.csv", content)
    return stream.getvalue()


def tarred(content):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


TABLE = b"image,label\n" + b"".join(b"%d.png,cat\n" % number for number in range(999))
TABLES = {
    "blank.csv": (b"\n" + TABLE, "line 1 is blank; expected the names of the columns"),
    "blanks.csv": (b"\n\n", "is empty"),
    "latin.csv": (TABLE + b"\xe9,dog\n", "is not UTF-8"),
    "cut.zip": (zipped(TABLE)[:-30], "is damaged or cut off"),
    "flipped.zip": (flipped(zipped(TABLE), 200), "is damaged or cut off: Bad CRC-32"),
    "text.zip": (TABLE, "is damaged or cut off"),
    "several.zip": (zipped(TABLE, TABLE), "cannot be read: Multiple files found"),
    "none.zip": (zipped(), "cannot be read: Zero files found"),
    "cut.bz2": (bz2.compress(TABLE)[:-9], "is damaged or cut off"),
    "flipped.bz2": (flipped(bz2.compress(TABLE), 20), "is damaged or cut off"),
    "text.zst": (TABLE, "(is damaged|cannot be read)"),
    "text.tar": (TABLE, "is damaged or cut off"),
    "cut.tar.gz": (tarred(TABLE)[:100], "is damaged or cut off"),
    "cut.gz": (gzip.compress(TABLE)[:-9], "is damaged or cut off"),
    "text.gz": (TABLE, "is damaged or cut off"),
}


@pytest.mark.parametrize("name", TABLES)
def test_damaged_table_is_refused_with_its_name(tmp_path, name):
    content, message = TABLES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}.*{message}"):
        read_table(tmp_path / name)
    has_pixels(tmp_path / name)


def test_name_that_is_too_long_is_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        read_table(tmp_path / f"{'x' * 300}.csv")
