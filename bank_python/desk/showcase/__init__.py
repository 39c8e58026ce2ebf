"""The showcase: scenes played on one desk, for people and as lines of JSON."""
