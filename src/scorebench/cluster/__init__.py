"""What master and workers hold each other to: sealed messages, and how long a silence may last. Pure."""
