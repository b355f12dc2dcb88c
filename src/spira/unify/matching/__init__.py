"""Probable matches: records that are likely of one person although no identifier says so.

The order of the work: `columns` says what each column is, `clean` brings values to one form, `blocking` chooses which
pairs are looked at, `comparisons` and `model` weigh them (Splink, trained without labels), `clusters` makes people of
pairs. `evaluate` measures all of it against a known truth. Everything runs in memory; only ids and weights leave it.
"""
