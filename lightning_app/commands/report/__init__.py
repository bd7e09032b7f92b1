"""What a run was and what it showed, as one page that can be sent."""
