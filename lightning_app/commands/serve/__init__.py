"""The command `serve`: a page in the browser to try a network, and JSON."""
