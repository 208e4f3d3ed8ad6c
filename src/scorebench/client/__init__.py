"""How it is sent: one kept-alive connection a user, its TLS, its deadline, its credentials. No Locust."""
