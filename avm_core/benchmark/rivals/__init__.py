"""Systems on one table: AVM and today's alternatives, behind one interface."""
