"""When it is sent: shapes, arrivals, tickets. Arithmetic; owns no clock and sends nothing."""
