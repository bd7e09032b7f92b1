"""How good a network is: predictions, metrics, calibration, intervals, tests, label errors."""
