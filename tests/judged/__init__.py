"""Twenty upgrades of which it is known what is right: does the sheet lead people there?"""
