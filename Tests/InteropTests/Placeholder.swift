// Proofs under construction.
