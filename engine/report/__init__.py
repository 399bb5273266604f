"""The written report: from runs to a document in plain words, and from the document to Markdown and HTML.

Data goes one way: :mod:`engine.report.material` holds what was read, :mod:`engine.report.facts` what follows from it,
:mod:`engine.report.compose` makes a :mod:`engine.report.document` of that in one language, and the writers make text of
the document. No sentence is made anywhere but in the sections, and none says more than a fact does.
"""
