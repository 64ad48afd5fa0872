"""The caller's voice: recorded, compared, cloned, spoken with, and given back."""
