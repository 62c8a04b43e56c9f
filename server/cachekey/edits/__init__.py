"""What fixes and refactorings are made of."""
