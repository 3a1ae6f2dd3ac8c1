"""Methods that are asked: two groups of runs in, a p-value and an effect out."""
