//! What becomes of a credential in a run.
