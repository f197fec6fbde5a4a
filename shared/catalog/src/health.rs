//! Health as it stands, its transitions, and what is due to be judged.
