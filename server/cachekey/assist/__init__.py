"""What an editor asks: hover, completion, refactorings, as plain records."""
