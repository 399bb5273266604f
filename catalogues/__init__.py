"""Keeps the catalogues of texts (engine/locale) in step with the sources. For developers; no part of the program."""
