"""kit.io: the parts of kit that await, sleep or talk to the operating system."""
