"""Run words: what stands for a run in place of its name; here, so that no help imports MLflow."""

LAST, BEST = "last", "best"
