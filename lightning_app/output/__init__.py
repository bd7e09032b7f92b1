"""Output of commands outside MLflow: folders of files, and tables on the console."""
