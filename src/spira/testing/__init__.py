"""Public: fakes, builders and contract suites, for our tests and for those of extensions' authors."""
