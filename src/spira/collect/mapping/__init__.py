"""How the rows of a table become calls: the definition, the types of values, the building, and the guess."""
