"""controllers.io: the one loop that runs every controller."""
