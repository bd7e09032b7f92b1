"""Answers: how well a property predicts the class of held-out images, and which classes."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from lightning_app.commands.prepare.check.shortcuts.questions import Question

NUM_FOLDS = 5
MAX_FEATURES = 48  # principal components of pixels
STRENGTH = 0.3  # scikit-learn's C
DOUBT = 0.05  # chance that any of the intervals is wrong


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassAnswer:
    """How well a property separates one class from the others.

    Attributes:
        label: Name of the class.
        recognised: Share of its images that are taken for it.
        mistaken: Share of the other images that are.
        told: The first minus the second: 0 by chance, 1 if it is always told.
        excess: `told`, minus that of the reference that says most; None without one.
        images: Positions of its images that are recognised, the most certain first.
    """

    label: str
    recognised: float
    mistaken: float
    told: Interval
    excess: Interval | None
    images: Sequence[int]


@dataclass(frozen=True)
class Answer:
    """What a question found.

    Attributes:
        question: The question.
        accuracy: Balanced accuracy on images that were left out.
        chance: Balanced accuracy by chance.
        classes: The classes, the one that is recognised best first.
        suspects: The same, told by what cannot belong to their subject: for a part by its contrast.
    """

    question: Question
    accuracy: Interval
    chance: float
    classes: Sequence[ClassAnswer]
    suspects: Sequence[ClassAnswer]


def answer_all(questions: Sequence[Question], labels: Sequence[str]) -> list[Answer]:
    """Answer questions by logistic regressions, each on images that it was not fitted to.

    The intervals are those of 95 % corrected for their number (Bonferroni): with a chance of 95 %
    all of them are right.

    Args:
        questions: Questions on the N images.
        labels: Class of each image.
    """
    names, targets = np.unique(labels, return_inverse=True)
    known: dict[int, np.ndarray] = {}  # a contrast is also the reference of another

    def left_out(features: np.ndarray) -> np.ndarray:
        if id(features) not in known:
            known[id(features)] = _left_out(features, targets)
        return known[id(features)]

    return [
        _answer(question, left_out, targets, names.tolist(), len(questions))
        for question in questions
    ]


def _answer(
    question: Question,
    left_out: Callable[[np.ndarray], np.ndarray],
    targets: np.ndarray,
    names: list[str],
    asked: int,
) -> Answer:
    reach = NormalDist().inv_cdf(1 - DOUBT / 2 / (asked * len(names)))

    def answered(scores: np.ndarray, others: Sequence[np.ndarray] = ()) -> list[ClassAnswer]:
        found = [_of_class(k, names[k], scores, others, targets, reach) for k in range(len(names))]
        return sorted(found, key=lambda of_class: of_class.told.value, reverse=True)

    scores = left_out(question.features)
    classes = answered(scores)
    suspects = classes if question.kind == "file" else []
    if question.contrast is not None:
        suspects = answered(left_out(question.contrast), [*map(left_out, question.references)])
    accuracy = _balanced(scores.argmax(axis=1) == targets, targets, asked)
    return Answer(question, accuracy, 1 / len(names), classes, suspects)


def _of_class(
    k: int,
    name: str,
    scores: np.ndarray,
    others: Sequence[np.ndarray],
    targets: np.ndarray,
    reach: float,
) -> ClassAnswer:
    own, taken = targets == k, scores.argmax(axis=1) == k
    order = np.flatnonzero(own & taken)
    excess = [
        _difference(1.0 * taken - (other.argmax(axis=1) == k), own, reach) for other in others
    ]
    return ClassAnswer(
        name,
        float(taken[own].mean()),
        float(taken[~own].mean()),
        _difference(1.0 * taken, own, reach),
        min(excess, key=lambda interval: interval.value, default=None),
        order[np.argsort(-scores[order, k], kind="stable")].tolist(),
    )


def _difference(values: np.ndarray, own: np.ndarray, reach: float) -> Interval:
    """Mean of values in [-1, 1] over a class, minus that over the others.

    One image more of each side is counted, so that the width is never zero (Bonett and Price,
    2012).
    """
    sides = [np.append(values[chosen], [1, -1]) for chosen in (own, ~own)]
    value = float(sides[0].mean() - sides[1].mean())
    error = float(np.sqrt(sum(side.var() / len(side) for side in sides)))
    return Interval(value, value - reach * error, value + reach * error)


def _balanced(correct: np.ndarray, targets: np.ndarray, asked: int) -> Interval:
    """Mean recall of the classes (Agresti and Coull's interval for each)."""
    of_class = [correct[targets == k] for k in range(targets.max() + 1)]
    padded = [(c.sum() + 2) / (len(c) + 4) for c in of_class]
    error = np.sqrt(
        sum(p * (1 - p) / (len(c) + 4) for p, c in zip(padded, of_class, strict=True))
    ) / len(of_class)
    value = float(np.mean([c.mean() for c in of_class]))
    reach = NormalDist().inv_cdf(1 - DOUBT / 2 / asked) * float(error)
    return Interval(value, max(value - reach, 0.0), min(value + reach, 1.0))


def _left_out(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Probabilities (N, K), each image by a regression on the folds without it."""
    # Imported here: it takes a second, and datasets without two large classes need none.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    model = LogisticRegression(C=STRENGTH, class_weight="balanced", tol=1e-3, max_iter=200)
    folds = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it may stop before it has converged
        components = _components(features)
        return np.asarray(
            cross_val_predict(model, components, targets, cv=folds, method="predict_proba")
        )


def _components(features: np.ndarray) -> np.ndarray:
    """The largest principal components, on one scale; all features if they are few."""
    centred = features - features.mean(axis=0)
    if features.shape[1] > MAX_FEATURES:
        _, axes = np.linalg.eigh(centred.T @ centred)
        centred = centred @ axes[:, -MAX_FEATURES:]
        return centred / (centred.std() + 1e-12)
    return centred / (centred.std(axis=0) + 1e-6)
