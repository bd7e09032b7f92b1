"""Cross-validation, `lightning_cli folds`: a network for each fold, and all of them together."""
