"""One line: `fit PATH` without a configuration; what lies there and a recipe decide the rest."""
