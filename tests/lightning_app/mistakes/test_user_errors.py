import warnings

from lightning_app.mistakes.user_errors import explained


def test_warnings_of_every_command_are_sentences(capsys):
    python = warnings.formatwarning
    with explained(), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = warnings._showwarning_orig  # pytest keeps them to itself
        warnings.warn("a class has one image only", stacklevel=1)
    assert capsys.readouterr().err == "warning: a class has one image only\n"
    assert warnings.formatwarning is python
