"""The fault bench: seeded runs of whole flows while things break, judged by a checker that trusts nobody."""
