"""Many runs that differ in what was asked for: their plan, their figures, and the lines through them."""
