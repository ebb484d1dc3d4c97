"""Real training runs, each a frozen configuration and a generator of frozen records: no user interface, no printing."""
