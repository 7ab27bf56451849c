"""The way of a recording: who is answered, recognition, the answer, keeping and repairing."""
