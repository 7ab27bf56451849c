"""What becomes of a voice: noises, rooms, networks; features, and the shards that keep them."""
