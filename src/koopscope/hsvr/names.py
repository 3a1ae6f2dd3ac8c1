"""Names that plans and the library share."""

# Ways to find the frequencies that predict the number of layers; the last takes scattered points.
METHODS = ("fft", "dmd", "tapered", "lomb-scargle")
