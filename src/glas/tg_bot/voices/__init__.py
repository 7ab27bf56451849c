"""Everything that happens to a recording: admission, recognition, answer, archive and repair."""
