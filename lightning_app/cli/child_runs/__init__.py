"""Child runs of a parent run: planned, run in processes of their own, resumed, and found."""
