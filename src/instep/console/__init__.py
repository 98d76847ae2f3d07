"""Pages for people: sign-in and the console."""
