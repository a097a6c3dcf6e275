"""One operator per stage, a module per part of the platform."""
