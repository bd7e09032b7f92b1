"""The application: command line, tracking, and the commands around training."""
