"""Sound for training: augmentation with noises, rooms and codecs, and shards of clips."""
