"""How many workers a rate needs, from a sweep: queues, and the plan itself."""
