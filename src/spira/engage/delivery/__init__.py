"""From a message that a journey asks for to what became of it: gate, dispatch, fold."""
