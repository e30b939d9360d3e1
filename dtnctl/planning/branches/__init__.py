"""Claims of open branches against each other and the base: values in, collisions out. Pure; what is on the endpoints is not looked at."""
