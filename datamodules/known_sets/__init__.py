"""torchvision's datasets: their layouts, and their downloads."""
