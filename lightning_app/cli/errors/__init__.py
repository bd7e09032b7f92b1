"""What a user did wrong: said in a few lines, with what is possible."""
