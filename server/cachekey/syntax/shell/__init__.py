"""Shell text to trees."""
