"""Evaluation: the same cases through two versions, before the new one is used."""
