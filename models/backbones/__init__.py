"""Networks without their classifier: own ones, timm's and torchvision's."""
