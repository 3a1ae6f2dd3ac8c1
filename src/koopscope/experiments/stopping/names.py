"""Rules for stopping, with their settings: what runs, figures and words share."""

SHARE, AHEAD = "spectrum: slow share", "spectrum: predicted displacement"
BEHIND, PATIENCE, FIXED = "past displacement", "patience", "fixed"
SPECTRAL = (SHARE, AHEAD)
# Thresholds of each rule; a fixed budget has none of its own.
SETTINGS = {
    SHARE: (0.3, 0.5, 0.7, 0.9),
    AHEAD: (0.2, 0.1, 0.05, 0.02, 0.01),
    BEHIND: (0.2, 0.1, 0.05, 0.02, 0.01),
    PATIENCE: (1, 2, 3, 5, 10),
}
RULES = (*SETTINGS, FIXED)
# The setting of each rule that is reported first.
CHOSEN = {SHARE: 0.5, AHEAD: 0.05, BEHIND: 0.05, PATIENCE: 3}
# What the spectrum has to be better than.
PAIRS = tuple((rule, other) for rule in SPECTRAL for other in (PATIENCE, BEHIND))
