//! What is listed, how complete it was, and when it is due again.
