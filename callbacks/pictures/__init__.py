"""Pictures: what a run shows of its network, one file for each; the gallery draws them."""

from callbacks.pictures.activation_maximisation import ActivationMaximisation
from callbacks.pictures.calibration import Calibration
from callbacks.pictures.class_activation import ClassActivation
from callbacks.pictures.concepts import Concepts
from callbacks.pictures.confusion import ConfusionMatrix
from callbacks.pictures.embedding import Embedding
from callbacks.pictures.feature_maps import FeatureMaps
from callbacks.pictures.filters import Filters
from callbacks.pictures.groups import Groups
from callbacks.pictures.hidden_groups import HiddenGroups
from callbacks.pictures.label_suspects import LabelSuspects
from callbacks.pictures.mistakes import Mistakes
from callbacks.pictures.per_class import ClassScores
from callbacks.pictures.picture import Notice as Notice
from callbacks.pictures.picture import Picture as Picture
from callbacks.pictures.picture import PictureContext as PictureContext
from callbacks.pictures.picture import PictureOutput as PictureOutput
from callbacks.pictures.picture import When as When
from callbacks.pictures.prediction_sets import PredictionSets
from callbacks.pictures.saliency import Saliency
from callbacks.pictures.sanity_checks import SanityChecks
from callbacks.pictures.shortcuts import Shortcuts
from callbacks.pictures.subject import SubjectEvidence
from callbacks.pictures.training_dynamics import TrainingDynamicsMap
from callbacks.pictures.unknowns import Unknowns

Honesty = SanityChecks  # the class path in configurations of earlier versions

# By their names. This is the order in which they are drawn, so that a small budget is spent on the
# most wanted ones, and the order within each panel of the UI and each section of the report.
PICTURES: dict[str, type[Picture]] = {
    picture.name: picture
    for picture in (
        ConfusionMatrix,
        SanityChecks,  # before the heat maps, whose titles have its verdict
        ClassActivation,
        Saliency,
        Filters,
        FeatureMaps,
        ActivationMaximisation,
        ClassScores,
        Groups,
        HiddenGroups,
        Mistakes,
        Calibration,
        PredictionSets,
        Unknowns,
        Embedding,
        LabelSuspects,
        TrainingDynamicsMap,
        Shortcuts,
        Concepts,
        SubjectEvidence,
    )
}
