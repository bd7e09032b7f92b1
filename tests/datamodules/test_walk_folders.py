from datamodules.walk_folders import files_below, is_image, leads_outside


def names_below(folder, **options):
    return [file.relative_to(folder).as_posix() for file in files_below(folder, **options)]


def test_files_are_sorted_and_hidden_ones_left_out(tmp_path):
    for name in ("b/2.png", "b/1.txt", "a.jpg", ".git/x.png", "b/.hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert names_below(tmp_path) == ["a.jpg", "b/1.txt", "b/2.png"]


def test_links_to_folders_are_yielded_but_not_followed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert names_below(tmp_path) == ["a/1.png", "a/loop"]


def test_folders_can_be_skipped_whatever_their_spelling(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    assert names_below(tmp_path, skip=[tmp_path / "b" / ".." / "a"]) == ["b/1.png"]


def test_images_are_known_by_their_endings(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "folder.png")
    assert is_image(tmp_path / "a.JPG")
    assert not is_image(tmp_path / "a.txt")
    assert not is_image(tmp_path / "link.png")


def test_only_links_lead_outside(tmp_path):
    (tmp_path / "inside").mkdir()
    for name, target in (("out.png", tmp_path / "x.png"), ("in.png", tmp_path / "inside/y.png")):
        (tmp_path / "inside" / name).symlink_to(target)
    assert leads_outside(tmp_path / "inside" / "out.png", tmp_path / "inside")
    assert not leads_outside(tmp_path / "inside" / "in.png", tmp_path / "inside")
