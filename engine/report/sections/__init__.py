"""The sections of a report, a module each: from facts and words to blocks."""
