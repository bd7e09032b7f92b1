"""What commands leave behind outside MLflow: folders of files, and tables on the console."""
