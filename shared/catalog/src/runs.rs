//! Runs of playbooks: the queue, the leases and the journal.
