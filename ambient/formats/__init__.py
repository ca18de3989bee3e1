"""How dates and times are shown on pages: one form everywhere, in UTC."""
