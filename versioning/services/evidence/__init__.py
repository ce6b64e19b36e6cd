"""What the samples say: figures, comparisons, best models, drift."""
