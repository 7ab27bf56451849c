"""Training of the embedded recogniser: texts, synthetic speech, a small CTC network, its export.

Nothing here is needed to recognise speech.  The package needs the extra dependencies of training (torch, espeak-ng).
"""
