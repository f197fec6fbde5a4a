//! What people wrote: manifests, and every generation of them.
