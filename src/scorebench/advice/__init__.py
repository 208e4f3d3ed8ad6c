"""What to change: rules over figures, each with its threshold, its source, its gain and its proof."""
