"""One completion's reward, term by term, as text and as a picture."""
