"""Sound for training: clips (recordings of one or a few sentences) in files, and effects that augment them."""
