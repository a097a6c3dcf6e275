"""How large a platform must be: measured rates in, workers, memory, storage and hours out."""
