import yaml

from lightning_app.cli.shipped_configs import shipped_configs, with_shipped_configs


def test_names_of_shipped_configurations_become_their_files():
    file = str(shipped_configs()["digits"])
    assert yaml.safe_load(shipped_configs()["digits"].read_text())["data"]
    for arguments in (["--config", "digits"], ["-c", "digits"], ["--config=digits"]):
        assert with_shipped_configs(["fit", *arguments, "--x", "digits"]) == [
            "fit",
            *(argument.replace("digits", file) for argument in arguments),
            "--x",
            "digits",
        ]


def test_files_of_the_user_come_first_and_settings_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").touch()
    arguments = [
        "--config",
        "digits",
        "--config={data: X}",
        "--config",
        "unknown",
        "-c",
        "a/b.yaml",
    ]
    assert with_shipped_configs(arguments) == arguments
