"""THE language for "who": SQL's expression syntax plus functions about behaviour.

`language.analyse` reads a text, `printer.printed` writes a tree, `query` turns analysed
conditions and tag values into statements. Nothing here reads a store.
"""
