"""Texts of the HTML pages: the same keys in all languages, and the formats of numbers."""

import re
from typing import get_args

import pytest

from callbacks.figure_kind import Section
from lightning_app.commands.report.pictures import OTHERS, figure_kinds
from lightning_app.pages.language import LANGUAGES
from lightning_app.pages.words import UNKNOWN, Words, read_texts
from models.evaluation.metrics import METRICS

HOUR = 3_600_000


def flat(texts, prefix=""):
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield from flat(dict(enumerate(value)), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_all_languages_have_the_same_keys():
    first, *others = (dict(flat(read_texts(language))) for language in LANGUAGES)
    for other in others:
        assert list(other) == list(first)


def test_all_languages_have_the_same_placeholders_and_no_empty_text():
    texts = [dict(flat(read_texts(language))) for language in LANGUAGES]
    for key in texts[0]:
        if not key.startswith("formats."):
            gaps = [sorted(re.findall(r"{\w+}", text[key])) for text in texts]
            assert all(gap == gaps[0] for gap in gaps), key
        assert all(text[key].strip() for text in texts), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_figure_has_a_title_and_a_reading_help(language):
    texts = read_texts(language)
    assert set(texts["pictures"]) == set(figure_kinds())
    assert {*get_args(Section), OTHERS} <= set(texts["headings"])


def test_chinese_texts_are_in_chinese():
    for key, text in flat(read_texts("zh")):
        latin = re.sub(
            r"{.*?}|`.*?`|lang|F1|Top-3|Top-5|Git|Python|t-SNE|McNemar|Holm|p 值", "", text
        )
        assert key.startswith(("lang", "formats")) or not re.search(r"[A-Za-z]", latin), key


def test_numbers_have_the_format_of_the_language():
    english, chinese = Words("en"), Words("zh")
    assert (english.percent(0.98765), chinese.percent(0.98765)) == ("98.77 %", "98.77%")
    assert english.percent(None) == english.percent(float("nan")) == UNKNOWN
    assert english.interval(0.5, float("nan")) == english.interval(None, None) == ""
    assert chinese.interval(0.5, 0.75) == "50.00 至 75.00"
    assert [english.number(n) for n in (60295283, 0.00123456, float("inf"))] == [
        "60,295,283",
        "0.001235",
        UNKNOWN,
    ]


def test_durations_are_given_in_their_two_largest_units():
    english, chinese = Words("en"), Words("zh")
    assert [english.duration(t) for t in (0, 400, 9_949, 9_950)] == [
        "0 s",
        "0.4 s",
        "9.9 s",
        "10 s",
    ]
    assert english.duration(65_000) == "1 min 5 s"
    assert english.duration(26 * HOUR + 61_000) == "1 d 2 h"
    assert chinese.duration(2 * HOUR + 180_000) == "2 小时 3 分"


def test_dates_have_the_format_of_the_language(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    noon = 1_795_608_000_000
    assert re.fullmatch(r"25 November 2026, \d\d:00", Words("en").date(noon))
    assert re.fullmatch(r"2026 年 11 月 25 日 \d\d:00", Words("zh").date(noon))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_has_a_name(language):
    assert [*read_texts(language)["metrics"]] == [metric.name for metric in METRICS]


def test_metrics_are_in_percent_but_losses_are_not():
    words, loss = Words("en"), METRICS[-1]
    assert words.metric(METRICS[0], "test") == "accuracy, test"
    assert words.value(METRICS[0], 0.875) == "87.50 %"
    assert words.value(loss, 0.875) == "0.875"
