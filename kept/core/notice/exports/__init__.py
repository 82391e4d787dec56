"""A notice in the forms of others: the record of processing, the Data Privacy Vocabulary, Fides, and plain JSON. All of them pure."""
