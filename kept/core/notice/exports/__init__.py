"""A notice in the forms of others: the record of processing, the Data Privacy Vocabulary, Fides, and plain JSON; and a person's choices
under it as a consent receipt. All of them pure.
"""
