"""The paper's reward: matching (Eq. 3), equations (Eq. 4-7), schedule (Eq. 8, STEP), settings."""
