"""Export: a network as files that run without this project.

`image_input` and `description` import nothing of ours, and no torch: they can be shipped with a
file. They need NumPy and Pillow.
"""
