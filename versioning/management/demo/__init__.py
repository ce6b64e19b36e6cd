"""The sample world of ``make demo``: a month in the life of a team, replayed through the services."""
