"""`dtnctl top`: a live view of the site in a terminal. Rooms: rates and tables (pure), looking, the screen, and the command."""
