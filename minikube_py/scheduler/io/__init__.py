"""scheduler.io: the scheduling loop and the binder."""
