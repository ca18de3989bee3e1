"""What is known of other services: how their tokens are renewed and tried. Asks no database."""
