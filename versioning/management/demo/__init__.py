"""The sample world of ``make demo``: a month of a team, replayed through the services."""
