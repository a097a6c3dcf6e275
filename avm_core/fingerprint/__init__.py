"""Media files to Fingerprint artefacts: the fingerprinters and their file format."""
