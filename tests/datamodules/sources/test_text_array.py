import pickle

import numpy as np
import pandas as pd
import pytest

from datamodules.sources.text_array import TextArray, text_array

TEXTS = ["cat/1.jpg", "", "Äpfel/ü.png", "cat/1.jpg", "old\udce9.png"]  # the last is no UTF-8


def test_texts_come_back_as_they_were():
    array = TextArray(TEXTS)
    assert list(array) == TEXTS
    assert [array[place] for place in range(-5, 5)] == TEXTS * 2
    assert len(array) == 5
    assert array == TEXTS
    assert array != TEXTS[:4]
    assert array != "cat"
    assert "Äpfel/ü.png" in array
    with pytest.raises(IndexError):
        array[5]


def test_some_of_the_texts_are_taken_in_any_order_without_copying_their_bytes():
    array = TextArray(TEXTS)
    taken = array.take(np.array([4, 0, 0])).take(np.array([2, 0]))
    assert taken == ["cat/1.jpg", "old\udce9.png"]
    assert taken._content is array._content
    assert array[1:3] == TEXTS[1:3]
    assert array.take(np.array([], np.int64)) == []
    assert not array[:0]


def test_other_libraries_take_it_for_a_list():
    array = TextArray(TEXTS[:4])
    assert pd.Index(array).isin(["cat/1.jpg"]).tolist() == [True, False, False, True]
    assert pd.DataFrame({"image": array})["image"].tolist() == TEXTS[:4]
    assert pickle.loads(pickle.dumps(array)) == TEXTS[:4]
    assert text_array(array) is array
    assert repr(array) == "TextArray(['cat/1.jpg', '', 'Äpfel/ü.png'], …; 4 texts)"
