"""What torchvision's data sets look like, and how they are fetched."""
